"""Ratios to a reference that loses next to nothing: CD, rCD and their means are then any number.

A ratio is stable if its denominator, the reference's degradation, can be told from zero. Where it cannot, the
ratio has no interval (`reports.scoring.aggregate`). Such a ratio stays in the CSV files and is undefined in
what people read.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from reports.tables.results import Results

__all__ = ["stable_only", "unstable_sentence"]

RATIOS = {"cd": "CD", "rcd": "rCD", "mcd": "mCD", "mrcd": "mrCD"}


def stable_only(results: Results) -> Results:
    """Return results whose unstable ratios are undefined."""
    tables = {name: getattr(results, name).copy() for name in ("summary", "corruptions")}
    for table in tables.values():
        for column in RATIOS.keys() & set(table.columns):
            table.loc[_unstable(table, column), column] = np.nan
    return dataclasses.replace(results, **tables)


def unstable_sentence(results: Results) -> str:
    """Return a sentence that names the unstable ratios, or nothing."""
    table = results.corruptions
    names = {
        label: list(dict.fromkeys(table.loc[_unstable(table, column), "corruption"]))
        for column, label in RATIOS.items()
        if column in table
    }
    parts = [f"{label} under {', '.join(where)}" for label, where in names.items() if where]
    if not parts:
        return ""
    return (
        f"Undefined, with every mean that they enter: {'; '.join(parts)}. There, the loss of the reference "
        f"{results.scoring.reference} cannot be told from zero, so a ratio to it may be any number."
    )


def _unstable(table: pd.DataFrame, column: str) -> pd.Series[bool]:
    """Return the rows whose ratio has no interval although their mIoU has."""
    miou = "miou_low" if "miou_low" in table else "mpc_low"
    found: pd.Series[bool] = table[column].notna() & table[f"{column}_low"].isna() & table[miou].notna()
    return found
