"""A comparison as a document for people, and as CSV and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.compare.compare import Comparison
from reports.formats.documents import Document, Table
from reports.formats.text import p_text
from reports.run.tally import PERCENT, Measure, Tally
from reports.scoring.jackknife import FEWEST
from reports.scoring.model_scores import KINDS, unit_of
from reports.tables.results import csv_text, json_rows

__all__ = ["comparison_csv", "comparison_document", "comparison_json"]

SHOWN = ("overall", "group", "corruption", "class", "clean-class")
LABELS = {"clean": "clean {measure}", "mpc": "mPC", "rpc": "rPC"}


def comparison_document(comparison: Comparison) -> Document:
    """Return a comparison by overall scores, groups, corruptions and classes, the largest losses first."""
    searched = [pair for pair in _shown(comparison) if pair[1] in ("corruption", "class")]
    level = f"{100 * comparison.confidence:g} %"
    in_percent = all(measure.unit == PERCENT for measure in comparison.tally.measures)
    points = " in points" if in_percent else ""
    lines = (
        f"A: {comparison.first}",
        f"B: {comparison.second}",
        f"{comparison.dataset}, protocol {comparison.protocol}, {comparison.images} images. The difference "
        f"is B - A{points}, with its paired {level} interval from {_units(comparison)}. p is two-sided, from "
        f"{comparison.swaps:,} swaps of A and B on random {comparison.unit}s, and, except for the overall "
        "scores, has Holm's correction over the rows of its table.",
        _powerless(comparison),
        _scored(comparison.tally),
        *(
            [_moved(comparison, measure, kind) for measure, kind in searched]
            if comparison.table["low"].notna().any()
            else [f"There are too few {comparison.unit}s for an interval: it takes {FEWEST}."]
        ),
        f"Left out, because only one run has them: {', '.join(comparison.left_out)}."
        if comparison.left_out
        else "",
    )
    return Document(
        "Comparison of two models",
        tuple(_warnings(comparison)),
        tuple(line for line in lines if line),
        tuple(_table(comparison, measure, kind) for measure, kind in _shown(comparison)),
    )


def comparison_csv(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as one CSV table with scores as fractions; the column `forced` lists differences."""
    return csv_text(
        pd.concat(
            [
                c.table.assign(
                    model_a=c.first, model_b=c.second, tally=c.tally.name, forced="; ".join(c.forced)
                )
                for c in comparisons
            ]
        )
    )


def comparison_json(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as JSON; undefined scores are null."""
    return (
        json.dumps([_record(comparison) for comparison in comparisons], indent=2, ensure_ascii=False) + "\n"
    )


def _record(comparison: Comparison) -> dict[str, object]:
    fields = {f.name: getattr(comparison, f.name) for f in dataclasses.fields(comparison)}
    return {
        **fields,
        "tally": comparison.tally.name,
        "table": json_rows(comparison.table),
    }


def _units(comparison: Comparison) -> str:
    return f"{comparison.units} {comparison.unit}{'' if comparison.units == 1 else 's'}"


def _powerless(comparison: Comparison) -> str:
    """Return a sentence if no difference could be significant on so few units, or nothing."""
    level, least = 1 - comparison.confidence, 1 / comparison.swaps
    searched = comparison.table[comparison.table["kind"] != "overall"]
    most = int(searched.groupby(["measure", "kind"])["p"].count().max()) if len(searched) else 1
    if least < level / most:
        return ""
    which = "no difference" if least >= level else f"no row of a table of {most} rows"
    return f"With {_units(comparison)}, p is at least {least:.3g}: {which} can be significant at {level:.2g}."


def _warnings(comparison: Comparison) -> list[str]:
    warnings = [
        f"compared with --force, although the runs differ in {reason}." for reason in comparison.forced
    ]
    return warnings + [
        f"{name} was trained with {', '.join(seen)}, so its scores there and their means are too favourable."
        for name, seen in zip("AB", comparison.seen, strict=True)
        if seen
    ]


def _shown(comparison: Comparison) -> list[tuple[Measure, str]]:
    """Return the measures and kinds of scores that have a table, in reading order."""
    there = set(zip(comparison.table["measure"], comparison.table["kind"], strict=True))
    measures = (*comparison.tally.whole, *comparison.tally.by_class)
    return [(measure, kind) for kind in SHOWN for measure in measures if (measure.name, kind) in there]


def _rows(comparison: Comparison, measure: Measure, kind: str) -> pd.DataFrame:
    """Return the rows of a measure and kind; corruptions and classes start with the largest losses."""
    table = comparison.table
    rows = table[(table["measure"] == measure.name) & (table["kind"] == kind)]
    if kind in ("overall", "group"):
        return rows
    return rows.sort_values("difference", kind="stable", ascending=measure.better != "lower")


def _scored(tally: Tally) -> str:
    """Return a sentence on the measures that are compared, or nothing for the primary tally."""
    if tally.always:
        return ""
    labels = ", ".join(measure.label for measure in tally.whole)
    return f"The scores are {labels}, counted as {tally.name}. {tally.note}"


def _moved(comparison: Comparison, measure: Measure, kind: str) -> str:
    rows = _rows(comparison, measure, kind).sort_values("difference", kind="stable")
    moved = rows[rows["moved"]]
    several = comparison.tally.by_class if measure.by_class else comparison.tally.whole
    named = f" in {measure.label}" if len(several) > 1 else ""
    if moved.empty:
        return f"No {kind} moved beyond chance{named}."
    parts = [
        f"{name} {measure.unit.difference(difference)}"
        for name, difference in zip(moved["name"], moved["difference"], strict=True)
    ]
    plural = "es" if kind == "class" else "s"
    return f"{kind.capitalize()}{plural} that moved{named}: {', '.join(parts)}."


def _table(comparison: Comparison, measure: Measure, kind: str) -> Table:
    title = KINDS[kind].format(measure=measure.label)
    if kind == "overall" and len(comparison.tally.whole) > 1:
        title = f"{title}: {measure.label}"
    rows = _rows(comparison, measure, kind).to_dict("records")
    return Table(
        title,
        ("", "A", "B", "difference", "interval", "p", "moved"),
        tuple(_row(measure, kind, row) for row in rows),
    )


def _row(measure: Measure, kind: str, row: Mapping[Any, Any]) -> tuple[str, ...]:
    unit = unit_of(measure, kind, row["name"])
    return (
        LABELS[row["name"]].format(measure=measure.label) if kind == "overall" else row["name"],
        unit.text(row["first"]),
        unit.text(row["second"]),
        unit.difference(row["difference"]),
        f"{unit.difference(row['low'])} .. {unit.difference(row['high'])}",
        p_text(row["p_holm"]),
        _verdict(measure, row["difference"]) if row["moved"] else "",
    )


def _verdict(measure: Measure, difference: float) -> str:
    """Return whether a difference is better or worse, by the direction of the measure."""
    if measure.better == "neither":
        return "higher" if difference > 0 else "lower"
    return "better" if (difference > 0) == (measure.better == "higher") else "worse"
