"""A comparison as a document for people, and as CSV and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence

import pandas as pd

from reports.compare.compare import Comparison
from reports.formats.console import percent
from reports.formats.documents import Document, Table
from reports.run.record import WHOLE
from reports.scoring.measures import KINDS
from reports.scoring.regions import ScoreNames, score_names
from reports.tables.results import csv_text

__all__ = ["comparison_csv", "comparison_document", "comparison_json", "points"]

SHOWN = ("overall", "group", "corruption", "class", "clean-class")
LABELS = {"clean": "clean {mean}", "mpc": "mPC", "rpc": "rPC"}


def comparison_document(comparison: Comparison) -> Document:
    """Return what a comparison says: overall scores, groups, corruptions, classes; largest losses first."""
    table, bootstrap = comparison.table, comparison.bootstrap
    scores = score_names(comparison.region)
    level = f"{100 * bootstrap.confidence:g} %"
    lines = (
        f"A: {comparison.first}",
        f"B: {comparison.second}",
        f"{comparison.dataset}, protocol {comparison.protocol}, {comparison.images} images. Difference: B - "
        f"A in points, with its {level} interval from {bootstrap.resamples} paired resamples of "
        f"{comparison.units} {comparison.unit}s ({bootstrap.method}). p is two-sided, with Holm's correction "
        "over the rows of a table, but for the overall scores.",
        _scored(comparison.region, scores),
        _moved(table, "corruption"),
        _moved(table, "class"),
        f"Only one of the runs has {', '.join(comparison.left_out)}." if comparison.left_out else "",
    )
    return Document(
        "Comparison of two models",
        tuple(_warnings(comparison)),
        tuple(line for line in lines if line),
        tuple(_table(table, kind, scores) for kind in SHOWN if (table["kind"] == kind).any()),
    )


def comparison_csv(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as one CSV table; scores are fractions. A forced one says so in every row."""
    return csv_text(
        pd.concat(
            [
                c.table.assign(model_a=c.first, model_b=c.second, region=c.region, forced="; ".join(c.forced))
                for c in comparisons
            ]
        )
    )


def comparison_json(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as JSON; undefined is null."""
    return (
        json.dumps([_record(comparison) for comparison in comparisons], indent=2, ensure_ascii=False) + "\n"
    )


def _record(comparison: Comparison) -> dict[str, object]:
    rows = [
        {str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in comparison.table.to_dict("records")
    ]
    fields = {f.name: getattr(comparison, f.name) for f in dataclasses.fields(comparison)}
    return {**fields, "bootstrap": dataclasses.asdict(comparison.bootstrap), "table": rows}


def _warnings(comparison: Comparison) -> list[str]:
    warnings = [f"compared with --force although the runs differ in {reason}" for reason in comparison.forced]
    return warnings + [
        f"{name} was trained with {', '.join(seen)}, which flatters its scores there and their means."
        for name, seen in zip("AB", comparison.seen, strict=True)
        if seen
    ]


def _scored(region: str, scores: ScoreNames) -> str:
    """Return what is scored in place of whole images; nothing where these are."""
    if region == WHOLE:
        return ""
    return f"Scored is the region {region}: all scores are those of {scores.mean}, in place of mIoU."


def _moved(table: pd.DataFrame, kind: str) -> str:
    rows = table[(table["kind"] == kind) & table["moved"]].sort_values("difference", kind="stable")
    if rows.empty:
        return f"No {kind} moved beyond chance." if (table["kind"] == kind).any() else ""
    names = [f"{name} {points(diff)}" for name, diff in zip(rows["name"], rows["difference"], strict=True)]
    plural = "es" if kind == "class" else "s"
    return f"{kind.capitalize()}{plural} that moved: {', '.join(names)}."


def _table(table: pd.DataFrame, kind: str, scores: ScoreNames) -> Table:
    names = scores._asdict()
    rows = table[table["kind"] == kind]
    if kind not in ("overall", "group"):
        rows = rows.sort_values("difference", kind="stable")
    return Table(
        KINDS[kind].format(**names),
        ("", "A", "B", "difference", "interval", "p", "moved"),
        tuple(
            (
                LABELS[row["name"]].format(**names) if kind == "overall" else row["name"],
                percent(row["first"]),
                percent(row["second"]),
                points(row["difference"]),
                f"{points(row['low'])} .. {points(row['high'])}",
                "–" if math.isnan(row["p_holm"]) else f"{row['p_holm']:.3f}",
                "" if not row["moved"] else ("worse" if row["difference"] < 0 else "better"),
            )
            for row in rows.to_dict("records")
        ),
    )


def points(difference: float) -> str:
    """Return a difference of fractions as percentage points with a sign, two decimals.

    Examples
    --------
    >>> points(-0.0123), points(0.0), points(float("nan"))
    ('-1.23', '0.00', '–')
    """
    if math.isnan(difference):
        return "–"
    rounded = round(100 * difference, 2)
    return f"{rounded:+.2f}" if rounded else "0.00"
