"""IoU by class: clean, under corruption, and where each class breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from reports.formats.documents import one_line
from reports.html.models import ModelView
from reports.html.text import Score, distinct, words
from reports.run.record import CLEAN, InvalidRun
from reports.tables.results import Results

__all__ = ["SIDE_BY_SIDE", "ClassRow", "ClassScore", "classes_of"]

SIDE_BY_SIDE = 3  # models that have room beside each other; of more, each has a row


class ClassScore(NamedTuple):
    """A model's IoU of a class: clean, mean over corrupted conditions, share kept; the worst corruption."""

    clean: Score
    corrupted: Score
    kept: Score
    worst: str


class ClassRow(NamedTuple):
    """One class: its colour as CSS, and a score for each model."""

    name: str
    colour: str
    scores: list[ClassScore]


def classes_of(results: Results, models: Sequence[ModelView]) -> list[ClassRow]:
    """Return a row for each class of the data set.

    Raises
    ------
    InvalidRun
        If the palette is not a colour for each class.
    """
    table = results.classes
    corrupted = table[table["corruption"] != CLEAN]
    clean = table[table["corruption"] == CLEAN].set_index(["model", "class"])["iou"].to_dict()
    # A class that occurs nowhere has no IoU; mean() leaves it NaN.
    means = corrupted.groupby(["model", "class"], sort=False)["iou"].mean().to_dict()
    worst = _worst(corrupted)
    dataset = results.record.dataset
    nan = float("nan")
    rows = []
    names = dataset["class_names"]
    for name, shown, colour in zip(names, distinct(names), _colours(dataset), strict=True):
        scores = []
        for model in models:
            key = (model.name, name)
            before, after = clean.get(key, nan), means.get(key, nan)
            kept = after / before if before > 0 else nan
            scores.append(ClassScore(Score(before), Score(after), Score(kept), worst.get(key, "")))
        rows.append(ClassRow(shown, colour, scores))
    return rows


def _colours(dataset: dict[str, Any]) -> list[str]:
    """Return the palette of a data set as CSS."""
    names, palette = dataset["class_names"], dataset["palette"]
    if len(palette) != len(names) or not all(map(_is_colour, palette)):
        raise InvalidRun(
            f"Expected `palette` in run.json to be [red, green, blue], 0 to 255, for each of {len(names)} "
            f"classes, but got {one_line(str(palette), 60)}: evaluate again."
        )
    return ["#{:02x}{:02x}{:02x}".format(*colour) for colour in palette]


def _is_colour(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(isinstance(part, int) and 0 <= part < 256 for part in value)
    )


def _worst(corrupted: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return by (model, class) the corruption with the lowest mean IoU, and that IoU."""
    means = (
        corrupted.groupby(["model", "class", "corruption"], sort=False)["iou"].mean().dropna().reset_index()
    )
    if means.empty:
        return {}
    lowest = means.loc[means.groupby(["model", "class"], sort=False)["iou"].idxmin()]
    return {
        (model, name): f"{words(corruption)} {Score(iou).number}"
        for model, name, corruption, iou in lowest.itertuples(index=False)
    }
