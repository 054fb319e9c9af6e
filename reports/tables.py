"""What a run found, as a table for the terminal. Percentages with one decimal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table
from rich.text import Text

from reports.frames import by_corruption, by_group
from reports.results import Results
from reports.schema import CLEAN

__all__ = ["console_summary", "percent"]


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with one decimal, a dash where it is undefined.

    Examples
    --------
    >>> percent(0.5331), percent(float("nan"))
    ('53.3', '–')
    """
    return "–" if pd.isna(fraction) else f"{100 * fraction:.1f}"


def console_summary(results: Results) -> Table:
    """Return a column per model: clean and mean corrupted mIoU, retention, groups, the worst corruption."""
    table = Table(title=Text(f"mIoU in % on {results.record.dataset['name']}"), title_justify="left")
    table.add_column("")
    for name in results.summary["model"]:
        table.add_column(Text(str(name)), justify="right")
    for label, cells in _rows(results):
        table.add_row(Text(label), *(Text(cell) for cell in cells))
    return table


def _rows(results: Results) -> list[tuple[str, list[str]]]:
    summary = results.summary
    rows = [("clean", [percent(value) for value in summary["clean_miou"]])]
    if (results.scores["corruption"] == CLEAN).all():
        return rows
    rows.append(("corrupted (mPC)", [percent(value) for value in summary["mpc"]]))
    rows.append(("kept (rPC)", [percent(value) for value in summary["rpc"]]))
    if summary["mcd"].notna().any():
        against = f"against {summary['reference'].iloc[0]}"
        rows.append((f"mCD {against}", [percent(value) for value in summary["mcd"]]))
        rows.append((f"mrCD {against}", [percent(value) for value in summary["mrcd"]]))
    groups = by_group(results.scores)
    for group, means in groups.groupby("group", sort=False):
        rows.append((f"  {group}", [percent(value) for value in means["miou"]]))
    rows.append(("worst corruption", [_worst(results, str(name)) for name in summary["model"]]))
    return rows


def _worst(results: Results, model: str) -> str:
    """Return the corruption with the lowest mean mIoU, and that mIoU."""
    means = by_corruption(results.scores)
    means = means[(means["model"] == model) & means["miou"].notna()]
    if means.empty:
        return percent(float("nan"))
    worst = means.sort_values("miou", kind="stable").iloc[0]
    return f"{worst['corruption']} {percent(worst['miou'])}"
