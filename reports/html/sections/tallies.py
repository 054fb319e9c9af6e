"""The measures of all tallies but the primary one, on clean images and averaged over corrupted conditions."""

from __future__ import annotations

from typing import NamedTuple

from reports.html.models import ModelView
from reports.html.page import Page, Section
from reports.html.text import Score, score_of
from reports.run.tally import Measure
from reports.tables.tallies import TallyTables

__all__ = ["SECTION", "MeasureRow", "TallyGroup"]


class MeasureRow(NamedTuple):
    """A measure of a model, with its interval if it has one."""

    model: ModelView
    measure: str
    clean: Score
    corrupted: Score


class TallyGroup(NamedTuple):
    """The rows of the tallies that share a title; `notes` explain their measures."""

    title: str
    notes: list[str]
    rows: list[MeasureRow]


def describe(page: Page) -> list[TallyGroup] | None:
    """Return a group for each title of the tallies that are shown, with the best models first."""
    groups = []
    shown = [tables for tables in page.results.tallies if tables.tally.show == "table"]
    for title in dict.fromkeys(tables.tally.title for tables in shown):
        alike = [tables for tables in shown if tables.tally.title == title]
        rows = [
            _row(model, tables, measure)
            for model in page.ranked
            for tables in alike
            for measure in tables.tally.whole
        ]
        notes = list(dict.fromkeys(tables.tally.note for tables in alike))
        groups.append(TallyGroup(title, notes, rows))
    return groups or None


SECTION = Section(50, "Measures", describe)


def _row(model: ModelView, tables: TallyTables, measure: Measure) -> MeasureRow:
    means = tables.means
    overall = means[(means["model"] == model.name) & (means["kind"] == "overall")]
    scores = {row["name"]: score_of(row, measure.name, measure.unit) for row in overall.to_dict("records")}
    undefined = Score(float("nan"))  # the mPC of a run without corruptions
    unit = f"{measure.label}, {measure.unit.symbol}" if measure.unit.symbol else measure.label
    return MeasureRow(model, unit, scores.get("clean", undefined), scores.get("mpc", undefined))
