"""The tables of the tallies that a run has besides the primary one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from reports.run.tally import Tally
from reports.scoring.model_scores import is_share, model_scores
from reports.scoring.protocols import Protocol
from reports.scoring.replicates import Replicates
from reports.tables import frames

__all__ = ["TallyTables", "csv_tables", "tally_tables"]

MEANS = ("overall", "group", "corruption")
ROWS = ("model", "dataset", "corruption", "severity", "kind", "name", "class")  # what a row is of


class TallyTables(NamedTuple):
    """The measures of a tally as data frames. Columns for model, data set and the tally's keys come first.

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
            row |= frames.with_interval(
                scored,
                score.measure.name,
                score.replicates,
                share=is_share(score.measure, key),
            )
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
    alike: dict[tuple[tuple[str, object], ...], list[pd.DataFrame]] = {}
    for tables in sharing:
        table, keys = getattr(tables, which), tables.tally.keys
        named = [column for column in table.columns if column in ROWS or column in keys]
        alike.setdefault(tuple(keys.items()), []).append(table.set_index(named))
    # In merged runs, each tally may have other models, so rows are matched by their names.
    joined = pd.concat([pd.concat(same, axis=1).reset_index() for same in alike.values()], ignore_index=True)
    row_of = joined.groupby([name for name in joined.columns if name in ROWS], sort=False).ngroup()
    return joined.iloc[np.argsort(row_of, kind="stable")].reset_index(drop=True)
