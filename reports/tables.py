"""What a run found, as a table for the terminal. Percentages with one decimal."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from reports.frames import by_corruption, by_group
from reports.results import Results
from reports.schema import CLEAN

__all__ = ["console_summary", "percent"]

MODELS_ACROSS = 3
WORST = "worst"

Line = tuple[str, list[str]]


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with one decimal, a dash where it is undefined.

    Examples
    --------
    >>> percent(0.5331), percent(float("nan"))
    ('53.3', '–')
    """
    return "–" if pd.isna(fraction) else f"{100 * fraction:.1f}"


def console_summary(results: Results) -> Table:
    """Return clean and mean corrupted mIoU, retention, groups and the worst corruption of every model.

    Few models stand in columns, more of them in rows, without the worst corruption, so that the table
    fits a terminal.
    """
    names = [str(name) for name in results.summary["model"]]
    lines = _lines(results)
    if len(names) <= MODELS_ACROSS:
        return _table(results, names, lines)
    numbers = [line for line in lines if line[0] != WORST]
    rows = [(name, [cells[place] for _, cells in numbers]) for place, name in enumerate(names)]
    return _table(results, [label for label, _ in numbers], rows)


def _table(results: Results, header: list[str], rows: list[Line]) -> Table:
    title = Text(f"mIoU in % on {results.record.dataset['name']}")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    for name in header:
        table.add_column(Text(name), justify="right", overflow="fold")
    for label, cells in rows:
        table.add_row(Text(label), *(Text(cell) for cell in cells))
    return table


def _lines(results: Results) -> list[Line]:
    """Return each line of the summary: its label and a cell per model."""
    summary = results.summary
    lines: list[Line] = [("clean", [percent(value) for value in summary["clean_miou"]])]
    if (results.scores["corruption"] == CLEAN).all():
        return lines
    scores = {"mPC": "mpc", "rPC": "rpc"}
    if summary["reference"].iloc[0]:
        scores |= {"mCD": "mcd", "mrCD": "mrcd"}
    for label, column in scores.items():
        lines.append((label, [percent(value) for value in summary[column]]))
    for group, means in by_group(results.scores).groupby("group", sort=False):
        lines.append((str(group), [percent(value) for value in means["miou"]]))
    lines.append((WORST, [_worst(results, str(name)) for name in summary["model"]]))
    return lines


def _worst(results: Results, model: str) -> str:
    """Return the corruption with the lowest mean mIoU, and that mIoU."""
    means = by_corruption(results.scores)
    means = means[(means["model"] == model) & means["miou"].notna()]
    if means.empty:
        return percent(float("nan"))
    worst = means.sort_values("miou", kind="stable").iloc[0]
    return f"{worst['corruption']} {percent(worst['miou'])}"
