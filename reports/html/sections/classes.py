"""IoU by class: clean, under corruption, and under each class's worst corruption."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from reports.html.page import Page, Section
from reports.html.text import Score, words
from reports.run.record import CLEAN

__all__ = ["SECTION", "SIDE_BY_SIDE", "ClassRow", "ClassScore", "Classes"]

SIDE_BY_SIDE = 3  # models that fit beside each other; of more models, each has a row


class ClassScore(NamedTuple):
    """A model's IoU of a class: clean, mean over corrupted conditions, kept share, and worst corruption."""

    clean: Score
    corrupted: Score
    kept: Score
    worst: str


class ClassRow(NamedTuple):
    """One class: its colour as CSS, and a score for each model."""

    name: str
    colour: str
    scores: list[ClassScore]


class Classes(NamedTuple):
    """A row for each class; models stand side by side if there is room."""

    rows: list[ClassRow]
    side_by_side: bool


def classes_of(page: Page) -> Classes:
    """Return a row for each class of the data set."""
    table, models = page.results.classes, page.models
    corrupted = table[table["corruption"] != CLEAN]
    clean = table[table["corruption"] == CLEAN].set_index(["model", "class"])["iou"].to_dict()
    # A class that occurs nowhere has no IoU; mean() keeps its NaN.
    means = corrupted.groupby(["model", "class"], sort=False)["iou"].mean().to_dict()
    worst = _worst(corrupted)
    nan = float("nan")
    rows = []
    names = page.results.record.dataset["class_names"]
    for name, (shown, colour) in zip(names, page.colours.items(), strict=True):
        scores = []
        for model in models:
            key = (model.name, name)
            before, after = clean.get(key, nan), means.get(key, nan)
            kept = after / before if before > 0 else nan
            scores.append(ClassScore(Score(before), Score(after), Score(kept), worst.get(key, "")))
        rows.append(ClassRow(shown, colour, scores))
    return Classes(rows, len(models) <= SIDE_BY_SIDE)


SECTION = Section(40, "Classes", classes_of)


def _worst(corrupted: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the corruption with the lowest mean IoU, and that IoU, by (model, class)."""
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
