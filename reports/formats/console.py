"""The summary of a run as a table for the terminal, in percent with one decimal."""

from __future__ import annotations

from rich.console import Group

from reports.formats.documents import Document, Table, to_console
from reports.formats.precision import other_precisions
from reports.formats.ratios import stable_only, unstable_sentence
from reports.formats.text import partial_sentence, percent, score_alone, score_with_interval, scoring_sentence
from reports.run.record import CLEAN
from reports.tables.results import Results
from reports.tables.tallies import TallyTables

__all__ = ["console_summary"]

MODELS_ACROSS = 3
WARNINGS = 5  # of those in the report
WORST = "worst"

Line = tuple[str, list[str]]


def console_summary(results: Results) -> Group:
    """Return clean and mean corrupted mIoU, retention, groups and the worst corruption of every model.

    Few models have a column each, also with the measures of further tallies. More models have a row each,
    without these and without the worst corruption, so that the table fits a terminal.
    """
    unstable, results = unstable_sentence(results), stable_only(results)
    names = [str(name) for name in results.summary["model"]]
    lines = _lines(results)
    if len(names) <= MODELS_ACROSS:
        further = [
            line
            for tables in results.tallies
            if tables.tally.show == "table"
            for line in _tally(tables, names)
        ]
        header, rows = names, [*lines, *further]
    else:
        numbers = [line for line in lines if line[0] != WORST]
        header = [label for label, _ in numbers]
        rows = [(name, [cells[place] for _, cells in numbers]) for place, name in enumerate(names)]
    table = Table(
        f"mIoU in % on {results.record.dataset['name']}",
        ("", *header),
        tuple((label, *cells) for label, cells in rows),
    )
    warnings = (*_warnings(results), *other_precisions(results.record))
    sentences = tuple(filter(None, (partial_sentence(results.record), scoring_sentence(results), unstable)))
    return to_console(Document("Robustness to image corruptions", warnings, sentences, (table,)))


def _warnings(results: Results) -> tuple[str, ...]:
    """Return the first warnings of a run, and a line on how many more its report has."""
    sentences = list(map(str, results.warnings))
    more = len(sentences) - WARNINGS
    return (*sentences[:WARNINGS], *([f"The report has {more} more."] if more > 0 else []))


def _lines(results: Results) -> list[Line]:
    """Return the lines of the summary, each with a label and a text per model."""
    summary = results.summary
    rows = summary.to_dict("records")
    # Intervals of many models would not fit a terminal; the CSV files have them.
    shown = score_with_interval if len(rows) <= MODELS_ACROSS else score_alone
    lines: list[Line] = [("clean", [shown(row, "clean_miou") for row in rows])]
    if (results.scores["corruption"] == CLEAN).all():
        return lines
    scores = {"mPC": "mpc", "rPC": "rpc"}
    if summary["reference"].iloc[0]:
        scores |= {"mCD": "mcd", "mrCD": "mrcd"}
    for label, column in scores.items():
        lines.append((label, [shown(row, column) for row in rows]))
    for group, means in results.groups.groupby("group", sort=False):
        lines.append((str(group), [percent(value) for value in means["miou"]]))
    lines.append((WORST, [_worst(results, str(name)) for name in summary["model"]]))
    return lines


def _tally(tables: TallyTables, names: list[str]) -> list[Line]:
    """Return a line for each measure of a tally: its mean under corruption, of each model that has it."""
    means = tables.means[(tables.means["kind"] == "overall") & (tables.means["name"] == "mpc")]
    by_model = means.set_index("model").reindex(names)
    return [
        (f"{measure.label}, mean", [measure.unit.text(value) for value in by_model[measure.name]])
        for measure in tables.tally.whole
    ]


def _worst(results: Results, model: str) -> str:
    """Return the corruption with the lowest mean mIoU, and that mIoU."""
    means = results.corruptions
    means = means[(means["model"] == model) & means["miou"].notna()]
    if means.empty:
        return percent(float("nan"))
    worst = means.sort_values("miou", kind="stable").iloc[0]
    return f"{worst['corruption']} {percent(worst['miou'])}"
