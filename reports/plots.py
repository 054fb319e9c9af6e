"""Degradation curves as SVG, to be read on a light and on a dark page."""

from __future__ import annotations

import io
import re
from typing import Any, NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from reports.schema import CLEAN

__all__ = ["Series", "degradation_curves", "series"]

# Okabe & Ito's palette without black and yellow: told apart by colour-blind readers, visible on white and
# on black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = (
    ("o", "\u25cf"),
    ("s", "\u25a0"),
    ("^", "\u25b2"),
    ("D", "\u25c6"),
    ("v", "\u25bc"),
    ("p", "\u2b1f"),
    ("h", "\u2b22"),
)
INK = "#010203"  # stands for the page's text colour: it becomes `currentColor`

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 9.5,
    "font.family": ["DejaVu Sans", "sans-serif"],
}


class Series(NamedTuple):
    """How a model is drawn: its colour, matplotlib's marker, and that marker as a character for legends."""

    colour: str
    marker: str
    symbol: str


def series(place: int) -> Series:
    """Return how the model at `place` in the run is drawn; the first 42 differ."""
    marker, symbol = MARKERS[place % len(MARKERS)]
    return Series(COLOURS[place % len(COLOURS)], marker, symbol)


def degradation_curves(scores: pd.DataFrame) -> dict[str, str]:
    """Return an SVG for each corruption: mIoU in percent over severity (0: clean), a line per model.

    All have the same axes and may stand in one HTML page. The same scores make the same text.
    """
    models = list(dict.fromkeys(scores["model"]))
    clean = scores[scores["corruption"] == CLEAN]
    top = 100 * scores["miou"].max()
    limit = max(10.0, 10.0 * (top // 10 + 1)) if top == top else 100.0
    panels = {}
    for name, rows in scores[scores["corruption"] != CLEAN].groupby("corruption", sort=False):
        lines = pd.concat([clean, rows])
        curves = [lines[lines["model"] == model] for model in models]
        panels[str(name)] = _panel(curves, min(limit, 100.0), salt=str(name))
    return panels


def _panel(curves: list[pd.DataFrame], limit: float, salt: str) -> str:
    with rc_context({**STYLE, "svg.hashsalt": salt}):
        figure = Figure(figsize=(2.5, 1.75), layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        for place, curve in enumerate(curves):
            colour, marker, _ = series(place)
            axes.plot(
                curve["severity"],
                100 * curve["miou"],
                color=colour,
                marker=marker,
                markersize=3.5,
                linewidth=1.4,
            )
        axes.set_xlim(-0.3, 5.3)
        axes.set_ylim(0, limit)
        axes.set_xticks(range(6), ["clean", "1", "2", "3", "4", "5"])
        axes.locator_params(axis="y", nbins=4)
        axes.grid(axis="y", color=INK, alpha=0.14, linewidth=0.6)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue())


def _inline(svg: str) -> str:
    """Return an SVG file as part of a page: its element alone, sized by the page, no ids that would clash."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    svg = re.sub(r' id="[\w.]+?_\d+"', "", svg)
    return re.sub(r">\s+<", "><", svg.replace(INK, "currentColor")).strip()
