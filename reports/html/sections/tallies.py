"""The measures of the tallies besides the primary one: clean, and the mean over corrupted conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from reports.html.models import ModelView
from reports.html.text import Score, score_of
from reports.run.tally import Measure
from reports.tables.results import Results
from reports.tables.tallies import TallyTables

__all__ = ["MeasureRow", "TallySection", "sections_of"]


class MeasureRow(NamedTuple):
    """A model's measure, with its interval where it has one."""

    model: ModelView
    measure: str
    clean: Score
    corrupted: Score


class TallySection(NamedTuple):
    """The rows of the tallies that share a title; `notes` say what their measures mean."""

    anchor: str
    title: str
    notes: list[str]
    rows: list[MeasureRow]


def sections_of(results: Results, models: Sequence[ModelView]) -> list[TallySection]:
    """Return a section for each title of the tallies that reports show, model by model."""
    sections = []
    shown = [tables for tables in results.tallies if tables.tally.show == "table"]
    for title in dict.fromkeys(tables.tally.title for tables in shown):
        alike = [tables for tables in shown if tables.tally.title == title]
        rows = [
            _row(model, tables, measure)
            for model in models
            for tables in alike
            for measure in tables.tally.whole
        ]
        anchor = re.sub(r"\W+", "-", title.lower()).strip("-")
        notes = list(dict.fromkeys(tables.tally.note for tables in alike))
        sections.append(TallySection(f"tally-{anchor}", title, notes, rows))
    return sections


def _row(model: ModelView, tables: TallyTables, measure: Measure) -> MeasureRow:
    means = tables.means
    overall = means[(means["model"] == model.name) & (means["kind"] == "overall")]
    scores = {row["name"]: score_of(row, measure.name, measure.unit) for row in overall.to_dict("records")}
    undefined = Score(float("nan"))  # mPC without corruptions
    unit = f"{measure.label}, {measure.unit.symbol}" if measure.unit.symbol else measure.label
    return MeasureRow(model, unit, scores.get("clean", undefined), scores.get("mpc", undefined))
