"""What a run found, as a table for the terminal. Percentages with one decimal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from reports.run.record import CLEAN, ModelRecord, RunRecord
from reports.tables.frames import by_corruption, by_group
from reports.tables.results import Results

__all__ = [
    "console_summary",
    "percent",
    "percent_alone",
    "percent_interval",
    "scoring_sentence",
    "seen_in_training",
]

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


def scoring_sentence(results: Results) -> str:
    """Return in words how the scores were made."""
    scoring = results.scoring
    against = (
        f"; reference {scoring.reference} ({scoring.source}), {scoring.ratio}" if scoring.reference else ""
    )
    intervals = (
        f"{100 * scoring.confidence:g} % intervals from {scoring.resamples} resamples of {scoring.units} "
        f"{scoring.unit}s ({scoring.method})"
        if scoring.units > 1
        else "no intervals: there is a single image or cluster"
    )
    protocol = scoring.protocol or "custom"
    return f"Protocol {protocol}; mPC is the mean over {scoring.mean_over}{against}; {intervals}."


def percent_interval(row: Mapping[Any, Any], column: str) -> str:
    """Return a score of a row of a table as a percentage with its interval, where it has one.

    Examples
    --------
    >>> percent_interval({"mpc": 0.5, "mpc_low": 0.4, "mpc_high": 0.612}, "mpc")
    '50.0 (40.0–61.2)'
    """
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    value = percent(row[column])
    return value if pd.isna(low) else f"{value} ({percent(low)}–{percent(high)})"


def percent_alone(row: Mapping[Any, Any], column: str) -> str:
    """Return a score of a row of a table as a percentage without its interval."""
    return percent(row[column])


def seen_in_training(model: ModelRecord, record: RunRecord) -> list[str]:
    """Return those of a run's corruptions that a model's card says it was trained with."""
    seen = model.card.get("seen_corruptions")
    here = {c.corruption for c in record.conditions if c.corruption != CLEAN}
    return [name for name in seen if name in here] if isinstance(seen, list | tuple) else []


def console_summary(results: Results) -> Group:
    """Return clean and mean corrupted mIoU, retention, groups and the worst corruption of every model.

    Few models stand in columns, more of them in rows, without the worst corruption, so that the table
    fits a terminal.
    """
    names = [str(name) for name in results.summary["model"]]
    lines = _lines(results)
    # Below the table, not its caption: that would be folded to the width of a narrow one.
    caption = Text(scoring_sentence(results))
    if len(names) <= MODELS_ACROSS:
        return Group(_table(results, names, lines), caption)
    numbers = [line for line in lines if line[0] != WORST]
    rows = [(name, [cells[place] for _, cells in numbers]) for place, name in enumerate(names)]
    return Group(_table(results, [label for label, _ in numbers], rows), caption)


def _table(results: Results, header: list[str], rows: list[Line]) -> Table:
    title = Text(f"mIoU in % on {results.record.dataset['name']}")
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", overflow="fold")
    for name in header:
        table.add_column(Text(name), justify="right", overflow="fold")
    for label, cells in rows:
        table.add_row(Text(label), *(Text(cell) for cell in cells))
    return table


def _lines(results: Results) -> list[Line]:
    """Return each line of the summary: its label and a cell per model."""
    summary = results.summary
    rows = summary.to_dict("records")
    # Intervals of many models would not fit a terminal; the CSV files have them.
    shown = percent_interval if len(rows) <= MODELS_ACROSS else percent_alone
    lines: list[Line] = [("clean", [shown(row, "clean_miou") for row in rows])]
    if (results.scores["corruption"] == CLEAN).all():
        return lines
    scores = {"mPC": "mpc", "rPC": "rpc"}
    if summary["reference"].iloc[0]:
        scores |= {"mCD": "mcd", "mrCD": "mrcd"}
    for label, column in scores.items():
        lines.append((label, [shown(row, column) for row in rows]))
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
