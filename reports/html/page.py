"""The record that the sections of a report and their templates share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reports.formats.documents import one_line
from reports.formats.precision import other_precisions
from reports.formats.ratios import stable_only, unstable_sentence
from reports.formats.text import partial_sentence
from reports.html.models import ModelView, models_of, ranked
from reports.html.text import distinct, label, listing, plural
from reports.run.errors import InvalidRun
from reports.run.record import CLEAN
from reports.scoring.protocols import PROTOCOLS
from reports.tables.results import Results

__all__ = ["Page", "Section", "describe"]

LONGEST = 44  # characters; a title has room for names of several models up to this length


class Page(NamedTuple):
    """The content of a page. `run` is the folder whose examples and counts of images are shown.

    `ranked` has the models with the highest mPC first, `corrupted` is the number of corrupted conditions,
    `groups` are those of the corruptions, and `colours` maps classes to CSS colours. `left_out` says what was
    left out of several runs.
    """

    results: Results
    run: Path
    left_out: Sequence[str]
    title: str
    lead: str
    warnings: list[str]
    models: list[ModelView]
    ranked: list[ModelView]
    corrupted: int
    severities: list[int]
    groups: list[str]
    colours: dict[str, str]
    reference: str
    intervals: str
    version: str


class Section(NamedTuple):
    """A section of a page: its place in the order of sections, its link, and the content of its template.

    `describe` returns None if the section has nothing to show.
    """

    order: int
    link: str
    describe: Callable[[Page], Any]


def describe(results: Results, run: Path, left_out: Sequence[str] = ()) -> Page:
    """Return the content of the report of a run's folder.

    Raises
    ------
    InvalidRun
        If the palette does not have one colour for each class.
    """
    unstable, results = unstable_sentence(results), stable_only(results)
    record = results.record
    corrupted = [c for c in record.conditions if c.corruption != CLEAN]
    models = models_of(results)
    return Page(
        results=results,
        run=run,
        left_out=left_out,
        title=f"{_title(models)} on {label(record.dataset['name'])}",
        lead=_lead(results, len(corrupted)),
        warnings=[*_warnings(results, models, left_out), *filter(None, [unstable])],
        models=models,
        ranked=ranked(models),
        corrupted=len(corrupted),
        severities=sorted({c.severity for c in corrupted}),
        groups=list(dict.fromkeys(label(c.group) for c in corrupted)),
        colours=_colours(record.dataset),
        reference=label(results.scoring.reference) if results.scoring.reference else "",
        intervals=f"{100 * results.scoring.confidence:g} % intervals" if results.scoring.units > 1 else "",
        version=label(record.versions.get("robseg", "")) if record.versions.get("robseg") else "",
    )


def _title(models: Sequence[ModelView]) -> str:
    names = listing(model.label for model in models)
    return names if len(models) == 1 or len(names) <= LONGEST else f"{len(models)} models"


def _lead(results: Results, corrupted: int) -> str:
    """Return a line that says what was evaluated."""
    record = results.record
    images = f"{plural(len(record.images), 'image')} ({label(record.dataset['split'])})"
    if not corrupted:
        return f"{images}, clean only"
    names = {c.corruption for c in record.conditions if c.corruption != CLEAN}
    protocol = f" · protocol {record.protocol}" if record.protocol in PROTOCOLS else ""
    return (
        f"{images}, clean and under {plural(len(names), 'corruption')} "
        f"({plural(corrupted, 'condition')}){protocol}"
    )


def _warnings(results: Results, models: Sequence[ModelView], left_out: Sequence[str]) -> list[str]:
    """Return the warnings that nobody should overlook."""
    record = results.record
    asked = len(record.models) * len(record.conditions) * len(record.images)
    missing = asked - int(results.scores["images"].sum())
    found = [partial_sentence(record)] if partial_sentence(record) else []
    if missing:
        found.append(
            f"Incomplete: {missing:,} predictions are missing, so scores are based on fewer images or blank."
        )
    if left_out:
        found.append(f"Left out: {plural(len(left_out), 'run or model')}; see Provenance.")
    trained = [model for model in models if model.seen]
    if len(trained) == 1:
        seen = listing(trained[0].seen)
        found.append(f"{trained[0].label} was trained with {seen}, so its scores there are too favourable.")
    elif trained:
        found.append(
            f"{len(trained)} models were trained with some of these corruptions, so their scores there are "
            "too favourable: see Provenance."
        )
    return found + other_precisions(record)


def _colours(dataset: dict[str, Any]) -> dict[str, str]:
    """Return the CSS colours of a data set's classes, keyed by the names that the page shows."""
    names, palette = dataset["class_names"], dataset["palette"]
    if len(palette) != len(names) or not all(map(_is_colour, palette)):
        raise InvalidRun(
            f"Expected `palette` in run.json to be [red, green, blue], 0 to 255, for each of {len(names)} "
            f"classes, but got {one_line(str(palette), 60)}: evaluate again."
        )
    colours = ("#{:02x}{:02x}{:02x}".format(*colour) for colour in palette)
    return dict(zip(distinct(names), colours, strict=True))


def _is_colour(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(part, int) and 0 <= part < 256 for part in value)
    )
