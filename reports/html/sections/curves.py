"""Degradation curves: a panel for each corruption with a line and a band for each model, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.html.models import FEW, ModelView, rows_by_model
from reports.html.page import Page, Section
from reports.html.strength import SOURCE, psnr
from reports.html.text import Score, label, score_of, words
from reports.run.record import CLEAN
from reports.tables.results import Results

__all__ = ["BANDS", "SECTION", "CurvePanels", "Line", "Panel", "Tick"]

BANDS = 24  # models whose intervals are drawn: more would make the page large and hide each other

# The panel, in units of its viewBox.
WIDTH, HEIGHT = 240, 150
LEFT, RIGHT, TOP, BOTTOM = 30, 228, 10, 126
STRONGEST, WEAKEST = 5.0, 40.0  # dB, the ends of the axis of measured strength; clean is to the left
ABSENT = "-"
BREAK = 40  # units between clean and WEAKEST

Point = tuple[int, Score]  # severity (clean: 0) and mIoU


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    text: str


class Line(NamedTuple):
    """A model's curve: `points` of an SVG polyline, `band` of an SVG polygon, and `values` joined by |."""

    model: ModelView
    points: str
    band: str
    values: str


class Panel(NamedTuple):
    """One corruption.

    `strengths` are the x of clean and of the severities by measured strength, `decibels` the measurements.
    Both are ABSENT for a severity that the corruption lacks, and empty if it was not measured. `text`
    describes the curves for readers who cannot see them.
    """

    corruption: str
    group: str
    text: str
    lines: list[Line]
    strengths: list[float | str]
    decibels: list[str]


class CurvePanels(NamedTuple):
    """All panels by group, and the axes that they share; `strength` says how strength was measured."""

    banded: bool
    strength: str
    groups: list[tuple[str, list[Panel]]]
    rows: list[Tick]
    severities: list[Tick]
    strengths: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM
    drawn: int = FEW


def curves_of(page: Page) -> CurvePanels | None:
    """Return a panel for each corruption of the run, with clean (0) and the severities across."""
    if not page.corrupted:
        return None
    results, models, severities = page.results, page.models, page.severities
    banded = len(models) <= BANDS
    levels = [0, *severities]
    places = {level: _column(k, len(levels)) for k, level in enumerate(levels)}
    limit = _limit(results)
    measured = psnr(results.record.set_versions)
    scores = {name: _by_corruption(rows) for name, rows in rows_by_model(results.scores).items()}
    groups: dict[str, list[Panel]] = {}
    for name, group in dict.fromkeys(
        (c.corruption, c.group) for c in results.record.conditions if c.corruption != CLEAN
    ):
        curves = [_curve(scores[model.name], name) for model in models]
        own = {level for curve in curves for level, _ in curve} - {0}
        decibels = {level: measured[name, level] for level in severities if (name, level) in measured}
        known = own <= decibels.keys()
        panel = Panel(
            words(name),
            label(group),
            _described(words(name), models, curves),
            [
                _line(model, curve, places, limit, banded=banded)
                for model, curve in zip(models, curves, strict=True)
            ],
            [places[0], *(_strength(decibels[s]) if s in own else ABSENT for s in severities)]
            if known
            else [],
            [f"{decibels[s]:.1f}" if s in own else ABSENT for s in severities] if known else [],
        )
        groups.setdefault(panel.group, []).append(panel)
    return CurvePanels(
        banded,
        SOURCE,
        list(groups.items()),
        [
            Tick(_row(value / 100, limit), str(value))
            for value in range(0, int(100 * limit) + 1, _step(limit))
        ],
        [Tick(x, "clean" if level == 0 else str(level)) for level, x in places.items()],
        [Tick(places[0], "clean"), *(Tick(_strength(value), str(value)) for value in (40, 30, 20, 10))],
    )


SECTION = Section(30, "Curves", curves_of)


def _by_corruption(rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {}
    for row in rows:
        points.setdefault(row["corruption"], []).append((row["severity"], score_of(row, "miou")))
    return points


def _curve(scores: Mapping[str, list[Point]], corruption: str) -> list[Point]:
    """Return the points that are defined, clean first."""
    points = [(0, score) for _, score in scores.get(CLEAN, [])] + sorted(scores[corruption])
    return [(severity, score) for severity, score in points if score.defined]


def _line(
    model: ModelView, curve: Sequence[Point], places: Mapping[int, float], limit: float, *, banded: bool
) -> Line:
    points = [f"{places[level]:g},{_row(score.value, limit):g}" for level, score in curve]
    band = ""
    if banded and len(curve) > 1 and not any(math.isnan(score.low) for _, score in curve):
        upper = [f"{places[level]:g},{_row(score.high, limit):g}" for level, score in curve]
        lower = [f"{places[level]:g},{_row(score.low, limit):g}" for level, score in reversed(curve)]
        band = " ".join(upper + lower)
    values = "|".join(str(score) if banded else score.number for _, score in curve)
    return Line(model, " ".join(points), band, values)


def _described(corruption: str, models: Sequence[ModelView], curves: Sequence[Sequence[Point]]) -> str:
    """Return the values of the curves in words; of many models, only the FEW with the highest mPC."""
    lines = [
        f"{model.label}: " + ", ".join(f"{score.number} at {level or 'clean'}" for level, score in curve)
        for model, curve in zip(models, curves, strict=True)
        if model.plotted
    ][:FEW]
    return f"mIoU in % under {corruption} by severity. {'; '.join(lines)}."


def _limit(results: Results) -> float:
    """Return the top of the axis: the highest mIoU, rounded up to a tenth."""
    top = results.scores[["miou", "miou_high"]].max().max()
    return 1.0 if math.isnan(top) else min(1.0, max(0.1, math.ceil(10 * top - 1e-9) / 10))


def _step(limit: float) -> int:
    return 20 if limit > 0.6 else 10 if limit > 0.2 else 5


def _row(miou: float, limit: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * min(miou / limit, 1.0), 1)


def _column(place: int, number: int) -> float:
    margin = 10
    return round(LEFT + margin + (RIGHT - LEFT - 2 * margin) * place / max(1, number - 1), 1)


def _strength(decibels: float) -> float:
    """Return the x of a PSNR; a PSNR beyond an end of the axis is drawn at that end."""
    start, end = _column(0, 2) + BREAK, _column(1, 2)
    share = (WEAKEST - min(WEAKEST, max(STRONGEST, decibels))) / (WEAKEST - STRONGEST)
    return round(start + (end - start) * share, 1)
