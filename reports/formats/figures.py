"""Matplotlib figures for publications: curves with bands, a heat map, accuracy against robustness.

Colour-blind readers can distinguish the colours (reports.formats.colours, cividis). Markers differ too, so
the figures also work in grey.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports.formats.colours import COLOURS
from reports.formats.documents import one_line
from reports.run.files import write_atomically
from reports.run.record import CLEAN
from reports.tables.results import Results

__all__ = ["FIGURES", "clean_against_corrupted", "curves", "heat_map", "save_figures"]

STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "robseg",  # the same scores give the same bytes
    "svg.fonttype": "none",
    "text.parse_math": False,  # a $ in a name does not start a formula
    "legend.frameon": False,
}
MARKERS = ("o", "s", "^", "D", "v", "p", "h")
ACROSS = 5  # panels in a row
LEGEND = 12  # models that fit a legend and a panel
COLUMNS = 24  # models that fit a heat map
LONGEST = 32  # characters of a name


def curves(results: Results) -> Figure:
    """Return a panel per corruption: mIoU in % over severity (0 is clean), a line and a band per model."""
    scores = results.scores
    clean = scores[scores["corruption"] == CLEAN]
    names = list(dict.fromkeys(scores.loc[scores["corruption"] != CLEAN, "corruption"]))
    models = _best(results, LEGEND)
    rows = max(1, -(-len(names) // ACROSS))
    figure = Figure(figsize=(7.2, 1.45 * rows + 0.5), layout="constrained")
    axes = figure.subplots(
        rows, min(ACROSS, max(1, len(names))), sharex=True, sharey=True, squeeze=False
    ).ravel()
    for ax, name in zip(axes, names, strict=False):
        shown = pd.concat([clean, scores[scores["corruption"] == name]])
        _panel(ax, shown, models)
        ax.set_title(name.replace("_", " "))
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    for ax in axes[max(0, len(names) - ACROSS) : len(names)]:
        ax.tick_params(labelbottom=True)  # the lowest panel of each column
    axes[0].set_xticks(range(int(scores["severity"].max()) + 1))  # all panels share them
    figure.supxlabel("severity (0: clean)")
    figure.supylabel("mIoU, %")
    _say_how_many(figure, results, models)
    _legend(figure, axes[0])
    return figure


def _look(place: int) -> tuple[str, str]:
    """Return the colour and the marker of the model with an index in the run; the first 42 differ."""
    return COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]


def _panel(ax: Axes, shown: pd.DataFrame, models: list[str]) -> None:
    for place, model in enumerate(models):
        line = shown[shown["model"] == model].sort_values("severity")
        colour, marker = _look(place)
        x, y = line["severity"], 100 * line["miou"]
        ax.plot(x, y, color=colour, marker=marker, markersize=2.5, linewidth=1, label=_name(model))
        low, high = 100 * line["miou_low"], 100 * line["miou_high"]
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.set_ylim(0, None)


def heat_map(results: Results) -> Figure:
    """Return mIoU in % by corruption and model, averaged over severities; a single model has severities."""
    models = _best(results, COLUMNS)
    if len(results.summary) == 1:
        table = results.scores[results.scores["corruption"] != CLEAN]
        columns = [f"severity {level}" for level in sorted(set(table["severity"]))]
        keys = [f"severity {level}" for level in table["severity"]]
    else:
        table = results.corruptions[results.corruptions["model"].isin(models)]
        columns, keys = models, list(table["model"])
    names = list(dict.fromkeys(table["corruption"])) if len(table) else []
    grid = np.full((max(1, len(names)), max(1, len(columns))), np.nan)
    for key, name, miou in zip(keys, table.get("corruption", ()), table.get("miou", ()), strict=True):
        grid[names.index(name), columns.index(key)] = 100 * miou
    size = (max(3.6, 2.4 + 0.5 * grid.shape[1]), max(2.4, 0.9 + 0.2 * grid.shape[0]))
    figure = Figure(figsize=size, layout="constrained")
    ax = figure.subplots()
    top = float(np.nanmax(grid)) if np.isfinite(grid).any() else 100.0
    image = ax.imshow(grid, cmap="cividis", vmin=0, vmax=max(top, 1.0), aspect="auto")
    ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.set_xticks(range(len(columns)), [_name(column) for column in columns], rotation=45, ha="right")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if grid.size <= 400:  # more numbers do not fit
        _write_numbers(ax, grid, top)
    _say_how_many(figure, results, models)
    figure.colorbar(image, ax=ax, label="mIoU, %")
    return figure


def _write_numbers(ax: Axes, grid: NDArray[np.float64], top: float) -> None:
    for (row, column), value in np.ndenumerate(grid):
        if np.isfinite(value):
            colour = "black" if value > 0.55 * top else "white"
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=colour, fontsize=6.5)


def clean_against_corrupted(results: Results) -> Figure:
    """Return clean mIoU against mPC, in %: a point with intervals per model; the line shows no loss."""
    figure = Figure(figsize=(3.6, 3.4), layout="constrained")
    ax = figure.subplots()
    for place, row in enumerate(results.summary.to_dict("records")):
        colour, marker = _look(place)
        x, y = 100 * row["clean_miou"], 100 * row["mpc"]
        ends = [[100 * row[f"{name}_{end}"] for end in ("low", "high")] for name in ("clean_miou", "mpc")]
        x_error, y_error = (
            [[value - low], [high - value]] for value, (low, high) in zip((x, y), ends, strict=True)
        )
        ax.errorbar(
            x,
            y,
            xerr=x_error,
            yerr=y_error,
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=0.8,
            linestyle="none",
            label=_name(row["model"]),
        )
    ax.set_xlim(0, None)
    ax.set_ylim(0, max(1.05 * ax.get_ylim()[1], 1))
    ax.axline((0, 0), slope=1, color="grey", linewidth=0.6, linestyle=":", zorder=0)
    ax.set_xlabel("clean mIoU, %")
    ax.set_ylabel("mPC, %")
    _legend(figure, ax, across=1)
    return figure


FIGURES: dict[str, Callable[[Results], Figure]] = {
    "curves": curves,
    "heat_map": heat_map,
    "clean_against_corrupted": clean_against_corrupted,
}


def save_figures(results: Results, folder: Path, form: str) -> list[Path]:
    """Draw every figure into a folder as `form` ("png" or "svg") and return their paths."""
    paths = []
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    for name, draw in FIGURES.items():
        path = folder / f"{name}.{form}"
        image = io.BytesIO()
        with rc_context(STYLE):
            draw(results).savefig(image, format=form, dpi=200, metadata=metadata)
        write_atomically(path, image.getvalue())
        paths.append(path)
    return paths


def _best(results: Results, number: int) -> list[str]:
    """Return at most `number` models, those with the highest mPC, in the run's order."""
    best = results.summary.sort_values("mpc", ascending=False, kind="stable").head(number)
    return [str(model) for model in results.summary.loc[sorted(best.index), "model"]]


def _say_how_many(figure: Figure, results: Results, models: list[str]) -> None:
    number = len(results.summary)
    if len(models) < number:
        figure.suptitle(f"The {len(models)} of {number} models with the highest mPC", fontsize=8)


def _legend(figure: Figure, ax: Axes, across: int = 3) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if 0 < len(labels) <= LEGEND:
        figure.legend(handles, labels, loc="outside upper center", ncols=min(across, len(labels)))


def _name(model: str) -> str:
    return one_line(str(model), LONGEST)
