"""The sentences at the top of a report: how robust, compared with what, where it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from reports.html.beside import Beside, beside_of
from reports.html.models import ModelView
from reports.html.page import Page, Section
from reports.html.text import Phrase, Score, listing
from reports.scoring.protocols import PROTOCOLS
from reports.tables.results import Results

__all__ = ["SECTION", "Summary", "compared_with", "verdict"]

PERCENT = "\u00a0%"  # on one line with its number


class Summary(NamedTuple):
    """The verdict, what scores are relative to, a note on the protocol, and the published table."""

    verdict: list[Phrase]
    compared: str
    note: str
    beside: Beside


def describe(page: Page) -> Summary:
    """Return what a page says first."""
    protocol = PROTOCOLS.get(page.results.record.protocol)
    return Summary(
        verdict(page.models, page.corrupted),
        compared_with(page.results) if page.corrupted else "",
        protocol.note if protocol else "",
        beside_of(page.results, page.models),
    )


SECTION = Section(10, "Summary", describe)


def verdict(models: Sequence[ModelView], corrupted: int) -> list[Phrase]:
    """Return in a few sentences what a run of `corrupted` corrupted conditions found."""
    if not corrupted:
        return _clean_only(models)
    return _of_one(models[0]) if len(models) == 1 else _of_several(models)


def compared_with(results: Results) -> str:
    """Return in a sentence what the scores are relative to."""
    scoring = results.scoring
    if scoring.reference:
        return (
            f"mCD and mrCD are relative to {scoring.reference} ({scoring.source}): "
            "100 % loses as much as it does, less is better."
        )
    return (
        "Every model is compared with itself on clean images. Name a reference model for mCD and mrCD: "
        "robseg report RUN --reference MODEL."
    )


def _clean_only(models: Sequence[ModelView]) -> list[Phrase]:
    best = _highest(models, lambda model: model.clean)
    return [
        Phrase(best.label, strong=True),
        Phrase(" has the highest" if len(models) > 1 else " has a"),
        Phrase(" clean mIoU of " if len(models) == 1 else " clean mIoU, "),
        Phrase(f"{best.clean.number}{PERCENT}", strong=True),
        Phrase(". Nothing was corrupted in this run, so it says nothing about robustness."),
    ]


def _of_one(model: ModelView) -> list[Phrase]:
    if not model.rpc.defined:
        return [
            Phrase(model.label, strong=True),
            Phrase(": what it keeps under corruption cannot be told, as a score it takes is undefined."),
        ]
    return [
        Phrase(model.label, strong=True),
        Phrase(" keeps "),
        Phrase(f"{model.rpc.number}{PERCENT}", strong=True),
        Phrase(
            " of its accuracy when images are corrupted: mIoU goes from "
            f"{model.clean.number}{PERCENT} on clean images to {model.mpc.number}{PERCENT} on average. "
        ),
        *_weakness(model),
    ]


def _weakness(model: ModelView) -> list[Phrase]:
    """Return where a model breaks: its weakest group, if there are several, and its worst corruption."""
    group, worst = model.weakest_group, model.worst
    if group is None or not worst:
        return []
    parts: list[Phrase] = []
    if len(model.groups) > 1:
        parts += [Phrase("It is weakest in "), Phrase(group.name, strong=True)]
        parts += [Phrase(f" ({group.score.number}{PERCENT})")]
    if len(model.corruptions) > 1:
        parts += [Phrase(", and worst of all under " if parts else "It is worst under ")]
        parts += [Phrase(worst[0].name, strong=True), Phrase(f" ({worst[0].score.number}{PERCENT})")]
    return [*parts, Phrase(".")] if parts else []


def _of_several(models: Sequence[ModelView]) -> list[Phrase]:
    kept = _highest(models, lambda model: model.rpc)
    best = _highest(models, lambda model: model.mpc)
    if not best.mpc.defined or not kept.rpc.defined:
        return [Phrase("What these models keep under corruption cannot be told: scores are undefined.")]
    parts = [
        Phrase(best.label, strong=True),
        Phrase(" has the highest mIoU under corruption, "),
        Phrase(f"{best.mpc.number}{PERCENT}", strong=True),
        Phrase(_doubt([m.mpc for m in models if m is not best], best.mpc)),
        Phrase(", and keeps most of its clean accuracy, " if kept is best else ". "),
    ]
    if kept is not best:
        parts += [Phrase(kept.label, strong=True), Phrase(" keeps most of its clean accuracy, ")]
    parts += [Phrase(f"{kept.rpc.number}{PERCENT}", strong=True), Phrase(". "), *_common_weakness(models)]
    return parts


def _doubt(others: Sequence[Score], best: Score) -> str:
    """Return how many of the others' intervals reach into that of the best, in brackets."""
    near = sum(other.high >= best.low for other in others)
    if not near:
        return ""
    of = "another model's interval overlaps" if near == 1 else f"the intervals of {near} others overlap"
    return f" ({of} with it: robseg compare tells more)"


def _common_weakness(models: Sequence[ModelView]) -> list[Phrase]:
    """Return the group or groups in which most models are weakest."""
    weakest = Counter(m.weakest_group.name for m in models if m.weakest_group and len(m.groups) > 1)
    if not weakest:
        return []
    most = max(weakest.values())
    names = [name for name, number in weakest.items() if number == most]
    if len(names) > 2:
        return [Phrase("They are weakest in different groups of corruptions.")]
    share = "All" if most == len(models) else f"{most} of {len(models)}"
    whose = f"{share} are weakest in " if len(names) == 1 else f"{share} each are weakest in "
    return [Phrase(whose), Phrase(listing(names), strong=True), Phrase(".")]


def _highest(models: Sequence[ModelView], score_of: Callable[[ModelView], Score]) -> ModelView:
    """Return the model with the highest score, the first of them; one whose score is undefined comes last."""
    return max(models, key=lambda model: (score_of(model).defined, score_of(model).value))
