"""Models as points: clean against corrupted mIoU, and robustness against the cost of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from reports.html.models import ModelView
from reports.html.page import Page, Section
from reports.html.text import Score

__all__ = ["SECTION", "Mark", "Scatter", "Stroke", "accuracy_plot", "cost_plots"]

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 40, 346, 12, 228
LABELLED = 10  # models whose names stand beside their points
LONGEST = 22
CHARACTER, LINE = 6.8, 11  # width (in a wide font) and height of the text of a name, in units of the viewBox
KEPT = (0.4, 0.6, 0.8, 1.0)
BOXES = (("start", 6, -6), ("end", -6, -6), ("start", 6, 14), ("end", -6, 14))  # where a name may stand


class Stroke(NamedTuple):
    """A line from (x1, y1) to (x2, y2), and the text at its end."""

    x1: float
    y1: float
    x2: float
    y2: float
    text: str = ""


class Mark(NamedTuple):
    """A model's point with its whiskers; `name` is "" if there is no room, `text` describes the point."""

    model: ModelView
    x: float
    y: float
    whiskers: list[Stroke]
    name: str
    name_x: float
    name_y: float
    anchor: str
    text: str


class Scatter(NamedTuple):
    """A plot: `columns` and `rows` are ticks, `guides` lines for orientation, `front` is the Pareto front."""

    title: str
    note: str
    x_title: str
    y_title: str
    columns: list[Stroke]
    rows: list[Stroke]
    guides: list[Stroke]
    front: str
    marks: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM


class _Axis(NamedTuple):
    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Return the position of a value; a value beyond the axis is at the nearer end."""
        low, high, value = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return round(self.start + (self.end - self.start) * share, 1)


def describe(page: Page) -> list[Scatter] | None:
    """Return the plots of a page that has several models."""
    accuracy = accuracy_plot(page.models)
    return ([accuracy] if accuracy else []) + cost_plots(page.models) or None


SECTION = Section(60, "Trade-offs", describe)


def accuracy_plot(models: Sequence[ModelView]) -> Scatter | None:
    """Return clean against corrupted mIoU, or None if fewer than two models have both."""
    shown = [model for model in models if model.clean.defined and model.mpc.defined]
    if len(shown) < 2:
        return None
    x = _percent_axis([model.clean for model in shown], LEFT, RIGHT)
    y = _percent_axis([model.mpc for model in shown], BOTTOM, TOP)
    guides = []
    for kept in KEPT:
        low, high = max(x.low, y.low / kept), min(x.high, y.high / kept)
        if low < high:
            guides.append(
                Stroke(x.at(low), y.at(kept * low), x.at(high), y.at(kept * high), f"{100 * kept:.0f} % kept")
            )
    return Scatter(
        "Clean against corrupted",
        "Models to the right are more accurate, higher ones are more robust. Models on a dotted line keep "
        "the same share of their clean mIoU. Whiskers are intervals.",
        "clean mIoU, %",
        "mPC, %",
        _percent_ticks(x, upright=True),
        _percent_ticks(y, upright=False),
        guides,
        "",
        _marks(
            shown,
            x,
            y,
            lambda model: model.clean.value,
            lambda model: f"clean {model.clean} %",
            x_is_clean=True,
        ),
    )


def cost_plots(models: Sequence[ModelView]) -> list[Scatter]:
    """Return robustness against each cost that at least two models state."""
    return [
        plot
        for plot in (
            _cost_plot(models, "Parameters", "parameters, millions", lambda model: model.parameters / 1e6),
            _cost_plot(models, "Computation", "GMACs per image", lambda model: model.gmacs),
            _cost_plot(models, "Time", "ms per image", lambda model: model.ms_per_image),
        )
        if plot is not None
    ]


def _cost_plot(
    models: Sequence[ModelView], title: str, unit: str, cost_of: Callable[[ModelView], float]
) -> Scatter | None:
    shown = [model for model in models if cost_of(model) > 0 and model.mpc.defined]
    if len(shown) < 2:
        return None
    costs = [cost_of(model) for model in shown]
    x = _Axis(min(costs) / 1.3, max(costs) * 1.3, LEFT, RIGHT, logarithmic=True)
    y = _percent_axis([model.mpc for model in shown], BOTTOM, TOP)
    best = list(_pareto([(cost_of(model), model.mpc.value) for model in shown]))
    corners: list[tuple[float, float]] = [(x.at(best[0][0]), BOTTOM)]
    for cost, mpc in best:
        corners += [(x.at(cost), corners[-1][1]), (x.at(cost), y.at(mpc))]
    corners.append((RIGHT, corners[-1][1]))
    return Scatter(
        f"Robustness against {title.lower()}",
        "Higher models are more robust, models to the left are cheaper. No other model is both cheaper and "
        "more robust than one on the line.",
        unit,
        "mPC, %",
        [Stroke(x.at(value), BOTTOM, x.at(value), TOP, f"{value:g}") for value in _log_ticks(x)],
        _percent_ticks(y, upright=False),
        [],
        " ".join(f"{a:g},{b:g}" for a, b in corners[1:]),
        _marks(shown, x, y, cost_of, lambda model: f"{unit}: {cost_of(model):.3g}"),
    )


def _pareto(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield the points (cost, score) that no other point beats in both, cheapest first."""
    best = -math.inf
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if score > best:
            best = score
            yield cost, score


def _percent_axis(scores: Sequence[Score], start: float, end: float) -> _Axis:
    ends = [v for s in scores for v in (s.value, s.low, s.high) if not math.isnan(v)]
    low = math.floor(20 * min(ends) - 0.2) / 20
    return _Axis(max(0.0, low), max(math.ceil(20 * max(ends) + 0.2) / 20, low + 0.1), start, end)


def _percent_ticks(axis: _Axis, *, upright: bool) -> list[Stroke]:
    span = axis.high - axis.low
    step = 20 if span > 0.6 else 10 if span > 0.25 else 5
    values = [v for v in range(0, 201, step) if axis.low <= v / 100 <= axis.high]
    places = [(axis.at(value / 100), str(value)) for value in values]
    if upright:
        return [Stroke(at, BOTTOM, at, TOP, text) for at, text in places]
    return [Stroke(LEFT, at, RIGHT, at, text) for at, text in places]


def _log_ticks(axis: _Axis) -> list[float]:
    """Return 1, 2 and 5 times each power of ten, or if that is too many, only the powers."""
    powers = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    inside = [tick for tick in ticks if axis.low <= tick <= axis.high]
    if len(inside) <= 7:
        return inside
    return [tick for tick in (10.0**power for power in powers) if axis.low <= tick <= axis.high]


def _marks(
    models: Sequence[ModelView],
    x: _Axis,
    y: _Axis,
    x_of: Callable[[ModelView], float],
    said: Callable[[ModelView], str],
    *,
    x_is_clean: bool = False,
) -> list[Mark]:
    taken = [(x.at(x_of(m)) - 4, y.at(m.mpc.value) - 4, 8.0, 8.0) for m in models]
    marks = []
    for model, short in zip(models, _shortened([model.label for model in models]), strict=True):
        a, b = x.at(x_of(model)), y.at(model.mpc.value)
        name, name_x, name_y, anchor = "", 0.0, 0.0, "start"
        if len(models) <= LABELLED:
            name = short if len(short) <= LONGEST else short[: LONGEST - 1] + "…"
            name_x, name_y, anchor = _beside(a, b, CHARACTER * len(name), taken)
        whiskers = []
        if not math.isnan(model.mpc.low):
            whiskers.append(Stroke(a, y.at(model.mpc.low), a, y.at(model.mpc.high)))
        if x_is_clean and not math.isnan(model.clean.low):
            whiskers.append(Stroke(x.at(model.clean.low), b, x.at(model.clean.high), b))
        text = f"{model.label}: mPC {model.mpc} %, {said(model)}"
        marks.append(Mark(model, a, b, whiskers, name, name_x, name_y, anchor, text))
    return marks


def _shortened(names: Sequence[str]) -> list[str]:
    """Return names without the ending that they all share, cut where a part of a name starts.

    Examples
    --------
    >>> _shortened(["icnet_r50-80k@streets", "pspnet_r50-80k@streets"])
    ['icnet', 'pspnet']
    """
    endings = takewhile(lambda ending: len(set(ending)) == 1, zip(*map(reversed, names), strict=False))
    shared = names[0][len(names[0]) - len(list(endings)) :]
    starts = [place for place, character in enumerate(shared) if character in "@_- "]
    cut = len(shared) - starts[0] if starts else 0
    return (
        [name[: len(name) - cut] for name in names] if all(len(name) > cut for name in names) else list(names)
    )


def _beside(
    a: float, b: float, width: float, taken: list[tuple[float, float, float, float]]
) -> tuple[float, float, str]:
    """Return a place for the name of the point (a, b), if possible a free one, and add it to `taken`."""
    boxes: list[tuple[bool, float, int, tuple[float, float, float, float], tuple[float, float, str]]] = []
    for anchor, right, down in BOXES:
        left = a + right - {"start": 0.0, "end": width}[anchor]
        box = (left, b + down - LINE + 2, width, float(LINE))
        outside = left < LEFT or left + width > WIDTH
        covered = sum(_overlap(box, other) for other in taken)
        boxes.append((outside, covered, len(boxes), box, (a + right, b + down, anchor)))
    *_, box, found = min(boxes)
    taken.append(box)
    return found


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the area that two boxes (x, y, width, height) share."""
    (x1, y1, w1, h1), (x2, y2, w2, h2) = one, other
    width, height = min(x1 + w1, x2 + w2) - max(x1, x2), min(y1 + h1, y2 + h2) - max(y1, y2)
    return max(0.0, width) * max(0.0, height)
