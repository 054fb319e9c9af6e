"""The results of one or several runs as a document of tables, which `robseg report` writes as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.formats.documents import Document, Table, one_line
from reports.formats.precision import other_precisions
from reports.formats.ratios import stable_only, unstable_sentence
from reports.formats.text import (
    partial_sentence,
    percent,
    score_alone,
    score_with_interval,
    scoring_sentence,
    seen_in_training,
    timed_on,
)
from reports.run.identity import conditions_of
from reports.run.record import CLEAN, RunRecord
from reports.run.tally import PERCENT, Measure
from reports.scoring.model_scores import unit_of
from reports.scoring.published import Published, published
from reports.tables.results import Results

__all__ = ["comparable_rows", "overview"]

SUMMARY = {"clean mIoU": "clean_miou", "mPC": "mpc", "rPC": "rpc", "mCD": "mcd", "mrCD": "mrcd"}
OVERALL = {"clean": "clean", "mpc": "mPC", "rpc": "rPC"}
FEW = 6  # models; a table with a column for each has room for this many intervals


def overview(results: Results, left_out: Sequence[str] = ()) -> Document:
    """Return scores, costs, means and the published rows that may be compared with them.

    CD and rCD need a reference, further measures need the counts of their tallies.
    """
    unstable, results = unstable_sentence(results), stable_only(results)
    tables = (
        _summary(results),
        *_costs(results),
        *_means(results.groups, "group", "Groups: mIoU in %"),
        *_means(results.corruptions, "corruption", "Corruptions: mIoU in %, mean over severities"),
        *_degradations(results),
        *_means(results.severities, "severity", "Severities: mIoU in %, mean over corruptions"),
        *_further(results),
        *_published(results),
    )
    lines = (*_lines(results, left_out), *filter(None, [unstable]))
    warnings = (*map(str, results.warnings), *_warnings(results.record))
    return Document("Robustness to image corruptions", warnings, lines, tables)


def comparable_rows(results: Results) -> list[Published]:
    """Return the published rows that have the run's data set, split and conditions."""
    here = conditions_of(results.record) - {(CLEAN, 0)}
    dataset = (results.record.dataset["name"], results.record.dataset["split"])
    return [
        row for row in published().values() if (row.dataset, row.split) == dataset and row.conditions == here
    ]


def _lines(results: Results, left_out: Sequence[str]) -> list[str]:
    record = results.record
    partial = partial_sentence(record)
    lines = [partial] if partial else []
    lines += [
        f"{record.dataset['name']}, {record.dataset['split']}, {len(record.images)} images.",
        scoring_sentence(results),
    ]
    if len(record.models) > FEW:
        lines.append(f"With more than {FEW} models, only the CSV files have the intervals of means.")
    return lines + [f"Left out: {reason}." for reason in left_out]


def _warnings(record: RunRecord) -> list[str]:
    """Return warnings about models trained with corruptions of the run, and about other precisions."""
    models: dict[tuple[str, ...], list[str]] = {}
    for model in record.models:
        models.setdefault(tuple(seen_in_training(model, record)), []).append(one_line(model.name))
    return [
        f"{', '.join(names)}: trained with {', '.join(seen)}, so scores there and their means are too "
        "favourable."
        for seen, names in models.items()
        if seen
    ] + other_precisions(record)


def _summary(results: Results) -> Table:
    scores = {k: v for k, v in SUMMARY.items() if results.summary[v].notna().any()}
    rows = tuple(
        (str(row["model"]), *(score_with_interval(row, column) for column in scores.values()))
        for row in results.summary.to_dict("records")
    )
    return Table("Summary, in %", ("", *scores), rows)


def _costs(results: Results) -> list[Table]:
    """Return a table of the cost of each model, or none if no cost is known."""
    costs = results.summary[["parameters", "gmacs", "ms_per_image"]]
    if costs.isna().all(axis=None):
        return []
    ranges = {model.name: model.ms_range for model in results.record.models}
    rows = tuple(
        (str(model), _number(parameters / 1e6, 2), _number(gmacs, 2), _time(ms, ranges.get(model)))
        for model, (parameters, gmacs, ms) in zip(results.summary["model"], costs.to_numpy(), strict=True)
    )
    header = ("", "million parameters", "GMACs per image", "ms per image")
    return [Table(f"Cost, with {timed_on(results.record)}", header, rows)]


def _time(median: float, ends: Sequence[float] | None) -> str:
    """Return a time in milliseconds with its range."""
    text = _number(median, 1)
    return f"{text} ({ends[0]:.1f}–{ends[1]:.1f})" if ends else text


def _number(value: float, decimals: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{decimals}f}"


def _degradations(results: Results) -> list[Table]:
    """Return tables of CD and rCD by corruption, or none without a reference."""
    reference = results.scoring.reference
    if not reference:
        return []
    return [
        table
        for score, name in {"cd": "CD", "rcd": "rCD"}.items()
        for table in _means(results.corruptions, "corruption", f"{name} in %, against {reference}", score)
    ]


def _further(results: Results) -> list[Table]:
    """Return a table for each measure of the further tallies: clean, mPC, rPC, groups, corruptions."""
    tables = []
    for tally, _, means, _ in results.tallies:
        if tally.show == "none":
            continue
        named = means.assign(mean=[_mean(*pair) for pair in zip(means["kind"], means["name"], strict=True)])
        for measure in tally.whole:
            unit = f" in {measure.unit.symbol}" if measure.unit.symbol else ""
            title = f"{tally.title}: {measure.label}{unit}"
            tables += _means(named, "mean", title, measure.name, measure)
    return tables


def _mean(kind: str, name: str) -> str:
    """Return the name of a mean in a table that has overall scores, groups and corruptions."""
    return OVERALL[name] if kind == "overall" else f"{name} (group)" if kind == "group" else name


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


def _means(
    table: pd.DataFrame, column: str, title: str, score: str = "miou", measure: Measure | None = None
) -> list[Table]:
    """Return a table of a score by `column` with a column per model, or none if nothing was corrupted."""
    if table.empty:
        return []
    models = list(dict.fromkeys(table["model"]))
    shown = score_with_interval if len(models) <= FEW else score_alone
    cells = {
        (row["model"], row[column]): shown(
            row, score, unit_of(measure, row["kind"], row["name"]) if measure else PERCENT
        )
        for row in table.to_dict("records")
    }
    rows = tuple(
        (str(name), *(cells.get((model, name), "–") for model in models))
        for name in dict.fromkeys(table[column])
    )
    return [Table(title, ("", *map(str, models)), rows)]
