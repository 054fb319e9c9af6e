"""A run, or several, as tables for people to paste elsewhere: Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.documents import Document, Table
from reports.protocols import PROTOCOLS
from reports.published import Published, published
from reports.results import Results
from reports.schema import CLEAN
from reports.tables import percent, percent_interval, scoring_sentence

__all__ = ["comparable_rows", "overview"]

SUMMARY = {"clean mIoU": "clean_miou", "mPC": "mpc", "rPC": "rpc", "mCD": "mcd", "mrCD": "mrcd"}


def overview(results: Results, left_out: Sequence[str] = ()) -> Document:
    """Return summary, corruptions, groups and, where they may be compared, published rows."""
    record = results.record
    scores = {k: v for k, v in SUMMARY.items() if results.summary[v].notna().any()}
    tables = [
        Table(
            "Summary, in %",
            ("", *scores),
            tuple(
                (str(row["model"]), *(percent_interval(row, column) for column in scores.values()))
                for row in results.summary.to_dict("records")
            ),
        )
    ]
    tables += _means(results.groups, "group", "Groups: mIoU in %")
    tables += _means(results.corruptions, "corruption", "Corruptions: mIoU in %, mean over severities")
    tables += _means(results.severities, "severity", "Severities: mIoU in %, mean over corruptions")
    tables += _published(results)
    lines = [
        f"{record.dataset['name']}, {record.dataset['split']}, {len(record.images)} images.",
        scoring_sentence(results),
        *(f"Left out: {reason}." for reason in left_out),
    ]
    return Document("Robustness to image corruptions", (), tuple(lines), tuple(tables))


def comparable_rows(results: Results) -> list[Published]:
    """Return the published rows that have the run's data set, split and conditions; none otherwise."""
    here = {(c.corruption, c.severity) for c in results.record.conditions if c.corruption != CLEAN}
    dataset = (results.record.dataset["name"], results.record.dataset["split"])
    return [
        row
        for row in published().values()
        if (row.dataset, row.split) == dataset
        and here == {(c, s) for c in row.corrupted for s in PROTOCOLS[row.protocol].severities[c]}
    ]


def _published(results: Results) -> list[Table]:
    rows = comparable_rows(results)
    if not rows:
        return []
    names = list(rows[0].corrupted)
    return [
        Table(
            f"Published, mIoU in %: {rows[0].source}",
            ("", "clean", *names),
            tuple(
                (row.name, percent(row.clean), *(percent(row.corrupted[name]) for name in names))
                for row in rows
            ),
        )
    ]


def _means(table: pd.DataFrame, column: str, title: str) -> list[Table]:
    """Return a table of mIoU by `column`, a column per model; none where nothing is corrupted."""
    if table.empty:
        return []
    models = list(dict.fromkeys(table["model"]))
    cells = {(row["model"], row[column]): percent_interval(row, "miou") for row in table.to_dict("records")}
    rows = tuple(
        (str(name), *(cells.get((model, name), "") for model in models))
        for name in dict.fromkeys(table[column])
    )
    return [Table(title, ("", *map(str, models)), rows)]
