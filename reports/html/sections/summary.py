"""The summary at the top of a report: the models' robustness, what it is relative to, their weak points."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from reports import tallies
from reports.formats.text import timed_on
from reports.html.beside import Beside, beside_of
from reports.html.models import ModelView
from reports.html.page import Page, Section
from reports.html.text import Phrase, Score, listing
from reports.run.tally import PRIMARY
from reports.scoring.jackknife import overlap
from reports.scoring.protocols import PROTOCOLS
from reports.tables.results import Results

__all__ = ["SECTION", "Summary", "compared_with", "verdict"]

SIGN = "\u00a0%"  # stays on one line with its number
MPC = "highest mIoU under corruption"
SHARE = "the largest share of"
NAMED = 3  # models in a sentence


class Summary(NamedTuple):
    """The verdict, the reference, what mIoU and time mean, a note on the protocol, the published table."""

    verdict: list[Phrase]
    compared: str
    measure: str
    timed: str
    note: str
    beside: Beside


def describe(page: Page) -> Summary:
    """Return the summary of a page."""
    protocol = PROTOCOLS.get(page.results.record.protocol)
    return Summary(
        verdict(page.models, page.corrupted),
        compared_with(page.results) if page.corrupted else "",
        tallies.find(PRIMARY).note,
        timed_on(page.results.record),
        protocol.note if protocol else "",
        beside_of(page.results, page.models),
    )


SECTION = Section(10, "Summary", describe)


def verdict(models: Sequence[ModelView], corrupted: int) -> list[Phrase]:
    """Return a few sentences on the results of a run with `corrupted` corrupted conditions."""
    if not corrupted:
        return _clean_only(models)
    return _of_one(models[0]) if len(models) == 1 else _of_several(models)


def compared_with(results: Results) -> str:
    """Return a sentence on what the scores are relative to."""
    scoring = results.scoring
    if scoring.reference:
        return (
            f"mCD and mrCD are relative to {scoring.reference} ({scoring.source}): "
            "a model with 100 % loses as much as the reference; lower is better."
        )
    return (
        "Every model is compared with itself on clean images. For mCD and mrCD, name a reference model: "
        "robseg report RUN --reference MODEL."
    )


def _clean_only(models: Sequence[ModelView]) -> list[Phrase]:
    first = (
        [
            Phrase(models[0].label, strong=True),
            Phrase(f" has a clean mIoU of {models[0].clean.number}{SIGN}. "),
        ]
        if len(models) == 1
        else _leading(
            models, lambda model: model.clean, "has the highest clean mIoU", "have the highest clean mIoU"
        )
    )
    return [
        *first,
        Phrase("This run has no corrupted images, so it says nothing about robustness."),
    ]


def _of_one(model: ModelView) -> list[Phrase]:
    if not model.rpc.defined:
        return [
            Phrase(model.label, strong=True),
            Phrase(" has no rPC, the share of clean mIoU that is kept, because a score is undefined."),
        ]
    return [
        Phrase(model.label, strong=True),
        Phrase(" keeps "),
        Phrase(f"{model.rpc.number}{SIGN}", strong=True),
        Phrase(
            " of its mIoU when images are corrupted: mIoU goes from "
            f"{model.clean.number}{SIGN} on clean images to {model.mpc.number}{SIGN} on average. "
        ),
        *_weakness(model),
    ]


def _weakness(model: ModelView) -> list[Phrase]:
    """Return the weak points of a model: its weakest group, if it has several, and its worst corruption."""
    group, worst = model.weakest_group, model.worst
    if group is None or not worst:
        return []
    parts: list[Phrase] = []
    if len(model.groups) > 1:
        parts += [Phrase("It is weakest in "), Phrase(group.name, strong=True)]
        parts += [Phrase(f" ({group.score.number}{SIGN})")]
    if len(model.corruptions) > 1:
        parts += [Phrase(", and worst of all under " if parts else "It is worst under ")]
        parts += [Phrase(worst[0].name, strong=True), Phrase(f" ({worst[0].score.number}{SIGN})")]
    return [*parts, Phrase(".")] if parts else []


def _of_several(models: Sequence[ModelView]) -> list[Phrase]:
    if not any(model.mpc.defined and model.rpc.defined for model in models):
        return [Phrase("These models have no mPC or rPC, because some of their scores are undefined.")]
    return [
        *_leading(models, lambda model: model.mpc, f"has the {MPC}", f"have the {MPC}"),
        *_leading(
            models,
            lambda model: model.rpc,
            f"keeps {SHARE} its clean mIoU",
            f"keep {SHARE} their clean mIoU",
        ),
        *_common_weakness(models),
    ]


def _leading(
    models: Sequence[ModelView], score_of: Callable[[ModelView], Score], one: str, several: str
) -> list[Phrase]:
    """Return a sentence on the model that is best in a score, or on those whose intervals overlap."""
    best = _highest(models, score_of)
    near = [m for m in models if m is not best and overlap(score_of(m), score_of(best))]
    value = Phrase(f"{score_of(best).number}{SIGN}", strong=True)
    if not near:
        alone = " on these images" if math.isnan(score_of(best).low) else ""
        return [Phrase(best.label, strong=True), Phrase(f" {one}{alone}, "), value, Phrase(". ")]
    names = [best.label, *(model.label for model in near)]
    return [
        Phrase(listing(names) if len(names) <= NAMED else f"{len(names)} models", strong=True),
        Phrase(f" {several}, up to "),
        value,
        Phrase(" (intervals overlap: none is best). "),
    ]


def _common_weakness(models: Sequence[ModelView]) -> list[Phrase]:
    """Return a sentence on the group or groups in which most models are weakest."""
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
    """Return the first model with the highest score; undefined scores rank last."""
    return max(models, key=lambda model: (score_of(model).defined, score_of(model).value))
