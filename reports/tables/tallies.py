"""The tables of the tallies that a run has besides the primary one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from reports.run.tally import Tally
from reports.scoring.model_scores import model_scores
from reports.scoring.protocols import Protocol
from reports.scoring.replicates import Replicates
from reports.tables import frames

__all__ = ["TallyTables", "csv_tables", "tally_tables"]

MEANS = ("overall", "group", "corruption")


class TallyTables(NamedTuple):
    """The measures of a tally as data frames, whose first columns are model, data set and the tally's keys.

    `conditions` has a row per condition, `classes` a row per condition and class. `means` has a row per kind
    and name of `reports.scoring.model_scores`: clean, mPC, rPC, and the mean over each group and corruption.
    """

    tally: Tally
    conditions: pd.DataFrame
    means: pd.DataFrame
    classes: pd.DataFrame


def tally_tables(scored: Replicates, protocol: Protocol) -> TallyTables:
    """Return the tables of a scored tally."""
    record, keys = scored.record, scored.tally.keys
    conditions: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    for m, model in enumerate(record.models):
        facts = {"model": model.name, "dataset": record.dataset["name"]}
        ordered = frames.clean_first(record.conditions)
        conditions += [
            {**facts, "corruption": c.corruption, "severity": c.severity, **keys, **values}
            for (_, c), values in zip(ordered, frames.measured(scored, m), strict=True)
        ]
        means += [{**facts, **row} for row in _means(scored, m, protocol)]
    classes = frames.classes(scored)
    for place, (name, value) in enumerate(keys.items()):
        classes.insert(4 + place, name, value)
    return TallyTables(scored.tally, pd.DataFrame(conditions), pd.DataFrame(means), classes)


def _means(scored: Replicates, model: int, protocol: Protocol) -> list[dict[str, Any]]:
    """Return a row per mean, with a column per measure and the ends of its interval."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for key, score in model_scores(scored, model, protocol).items():
        if key.kind in MEANS:
            row = rows.setdefault(key[:2], {"kind": key.kind, "name": key.name, **scored.tally.keys})
            row |= frames.with_interval(scored, model, score.measure.name, score.replicates)
    return list(rows.values())


def csv_tables(tallies: Sequence[TallyTables]) -> dict[str, pd.DataFrame]:
    """Return the tables by the names of their CSV files; tallies may share a table.

    In a shared table, tallies with equal keys share rows and add columns, and the others add rows.
    """
    found: dict[str, pd.DataFrame] = {}
    names = dict.fromkeys(tables.tally.table or tables.tally.name for tables in tallies)
    for name in names:
        sharing = [tables for tables in tallies if (tables.tally.table or tables.tally.name) == name]
        found[name] = _side_by_side(sharing, "conditions")
        found[f"{name}_means"] = _side_by_side(sharing, "means")
        if any(tables.tally.by_class for tables in sharing):
            found[f"{name}_classes"] = _side_by_side(sharing, "classes")
    return found


def _side_by_side(sharing: Sequence[TallyTables], which: str) -> pd.DataFrame:
    alike: dict[tuple[tuple[str, object], ...], pd.DataFrame] = {}
    for tables in sharing:
        keys, table = tuple(tables.tally.keys.items()), getattr(tables, which)
        if keys in alike:
            new = [name for name in table.columns if name not in alike[keys].columns]
            table = alike[keys].join(table[new])
        alike[keys] = table
    # The index sorts the rows of one model and condition next to each other.
    return pd.concat(alike.values()).sort_index(kind="stable").reset_index(drop=True)
