"""Heat maps: corruption x severity for each model, and models x corruptions if there are several models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.formats.text import percent
from reports.html.models import ModelView, rows_by_model
from reports.html.page import Page, Section
from reports.html.text import Score, label, score_of, words
from reports.run.record import CLEAN
from reports.tables.results import Results

__all__ = ["OPEN", "SECTION", "STEPS", "Conditions", "Grid", "GridGroup", "Matrix", "Shade"]

STEPS = 10  # shades
OPEN = 4  # grids that are not folded


class Shade(NamedTuple):
    """A score in a heat map: its text, interval and shade 0..STEPS; the shade is -1 if the run has none."""

    text: str
    interval: str
    shade: int


class GridRow(NamedTuple):
    """One corruption: a score per severity, its mean, and its CD ("" without a reference)."""

    corruption: str
    cells: list[Shade]
    mean: Shade
    cd: str


class GridGroup(NamedTuple):
    """The corruptions of one group."""

    group: str
    rows: list[GridRow]


class Grid(NamedTuple):
    """The heat map of one model."""

    model: ModelView
    groups: list[GridGroup]


class Matrix(NamedTuple):
    """A row of scores for each model; `columns` are (corruption, group)."""

    columns: list[tuple[str, str]]
    rows: list[tuple[ModelView, list[Shade]]]


class Conditions(NamedTuple):
    """The heat maps of the models; the first `open` of them are not folded."""

    grids: list[Grid]
    matrix: Matrix
    open: int
    steps: int = STEPS


ABSENT = Shade("", "", -1)


def describe(page: Page) -> Conditions | None:
    """Return the heat maps of a page."""
    if not page.corrupted:
        return None
    return Conditions(grids_of(page.results, page.ranked, page.severities), matrix_of(page.ranked), OPEN)


SECTION = Section(20, "Conditions", describe)


def grids_of(results: Results, models: Sequence[ModelView], severities: Sequence[int]) -> list[Grid]:
    """Return the heat map of every model, with a column for each severity."""
    scores, means = rows_by_model(results.scores), rows_by_model(results.corruptions)
    return [
        Grid(model, _groups(model, scores[model.name], means.get(model.name, []), severities))
        for model in models
    ]


def _groups(
    model: ModelView,
    scores: Sequence[Mapping[Any, Any]],
    means: Sequence[Mapping[Any, Any]],
    severities: Sequence[int],
) -> list[GridGroup]:
    clean = model.clean.value
    cells = {
        (row["corruption"], row["severity"]): _cell(score_of(row, "miou"), clean)
        for row in scores
        if row["corruption"] != CLEAN
    }
    groups: dict[str, list[GridRow]] = {}
    for row in means:
        name = row["corruption"]
        line = GridRow(
            words(name),
            [cells.get((name, severity), ABSENT) for severity in severities],
            _cell(score_of(row, "miou"), clean),
            "" if math.isnan(row["cd"]) else percent(row["cd"]),
        )
        groups.setdefault(label(row["group"]), []).append(line)
    return [GridGroup(group, rows) for group, rows in groups.items()]


def matrix_of(models: Sequence[ModelView]) -> Matrix:
    """Return the mean of every model under every corruption; corruptions of a group are side by side."""
    groups = list(dict.fromkeys(bar.group for bar in models[0].corruptions))
    order = sorted(
        range(len(models[0].corruptions)), key=lambda k: groups.index(models[0].corruptions[k].group)
    )
    columns = [(models[0].corruptions[k].name, models[0].corruptions[k].group) for k in order]
    rows = [
        (model, [_cell(model.corruptions[k].score, model.clean.value) for k in order]) for model in models
    ]
    return Matrix(columns, rows)


def _cell(score: Score, clean: float) -> Shade:
    return Shade(score.number, score.interval, round(STEPS * _loss(score.value, clean)))


def _loss(miou: float, clean: float) -> float:
    """Return the share of the clean score that is lost, clipped to 0..1; 0 where undefined."""
    if not clean > 0 or math.isnan(miou):
        return 0.0
    return min(1.0, max(0.0, 1 - miou / clean))
