"""A run's result tables, computed from its counts: the counts are the one truth, the CSV files their copy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from reports import frames
from reports.counts import total
from reports.files import write_atomically
from reports.schema import RunRecord

__all__ = ["Results", "csv_text", "load", "write_tables"]


@dataclasses.dataclass(frozen=True)
class Results:
    """The tables of a run, with the columns of its CSV files; scores are fractions.

    `scores` has a row per model and condition, `classes` per model, condition and class, `summary` per model.
    """

    record: RunRecord
    scores: pd.DataFrame
    classes: pd.DataFrame
    summary: pd.DataFrame


def load(run: Path | str, *, reference: str | None = None, partial: bool = False) -> Results:
    """Compute the tables of the run in folder `run`.

    Parameters
    ----------
    reference
        A model of the run; where given, the summary has CD scores against it.
    partial
        Accept a run that lacks predictions: the column `images` then says how many each score rests on.

    Raises
    ------
    InvalidRun
        If the run is damaged, incomplete, or without the model `reference`.
    """
    run = Path(run)
    record = RunRecord.load(run)
    totals = total(run, record, partial=partial)
    scores = frames.scores(record, totals)
    classes = frames.classes(record, totals)
    return Results(record, scores, classes, frames.summary(record, scores, reference))


def write_tables(run: Path | str, *, reference: str | None = None, partial: bool = False) -> Results:
    """Write scores.csv, classes.csv and summary.csv into the run's folder and return their content.

    The same counts make the same bytes. A text that a spreadsheet would take for a formula (it starts with
    = + - @, a tab or a carriage return) gets an apostrophe in front.
    """
    results = load(run, reference=reference, partial=partial)
    for name in ("scores", "classes", "summary"):
        write_atomically(Path(run) / f"{name}.csv", csv_text(getattr(results, name)))
    return results


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV: shortest exact floats, empty where undefined, no text that acts as a formula."""
    texts = table.select_dtypes(exclude="number").columns
    harmless = table.assign(**{name: table[name].map(_harmless) for name in texts})
    return harmless.to_csv(index=False, lineterminator="\n")


def _harmless(text: object) -> object:
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
