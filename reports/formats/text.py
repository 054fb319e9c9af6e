"""Texts for people: scores, and how they were computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.run.record import CLEAN, ModelRecord, RunRecord
from reports.run.tally import PERCENT, Unit
from reports.scoring.jackknife import CONFIDENCE, COVERAGE, FEWEST
from reports.tables.results import Results, Scoring

__all__ = [
    "p_text",
    "partial_sentence",
    "percent",
    "score_alone",
    "score_with_interval",
    "scoring_sentence",
    "seen_in_training",
    "timed_on",
]


def percent(fraction: float) -> str:
    """Return a fraction as a percentage with one decimal, or a dash if it is undefined.

    Examples
    --------
    >>> percent(0.5331), percent(float("nan"))
    ('53.3', '–')
    """
    return PERCENT.text(fraction)


def p_text(p: float) -> str:
    """Return a p-value with three decimals, or a dash if it is undefined.

    Examples
    --------
    >>> p_text(0.0123), p_text(0.0002), p_text(float("nan"))
    ('0.012', '<0.001', '–')
    """
    if math.isnan(p):
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def scoring_sentence(results: Results) -> str:
    """Return a sentence on how the scores were computed."""
    scoring = results.scoring
    against = (
        f"; reference {scoring.reference} ({scoring.source}), {scoring.ratio}" if scoring.reference else ""
    )
    intervals = (
        f"{100 * scoring.confidence:g} % intervals by the jackknife over {scoring.units} {scoring.unit}s"
        + _covers(scoring)
        if scoring.units >= FEWEST
        else f"no intervals: they take at least {FEWEST} {scoring.unit}s, and there are {scoring.units}"
    )
    protocol = scoring.protocol or "custom"
    return f"Protocol {protocol}; mPC is the mean over {scoring.mean_over}{against}; {intervals}."


def partial_sentence(record: RunRecord) -> str:
    """Return a sentence that says so if a run is on a part of its data set, or nothing."""
    total, here = int(record.dataset.get("total") or 0), len(record.images)
    if here >= total:
        return ""
    clusters = f", {len(set(record.clusters))} clusters" if record.clusters else ""
    return f"Partial: {here} of {total} images{clusters}."


def timed_on(record: RunRecord) -> str:
    """Return a phrase on how times were measured."""
    where = "one thread of the CPU" if record.device == "cpu" else record.device
    return f"the median time of a single image on {where}"


def _covers(scoring: Scoring) -> str:
    """Return a note on how often intervals cover in simulations, if their level was simulated."""
    found = [share for units, share in COVERAGE if scoring.units >= units]
    if scoring.confidence != CONFIDENCE or not found:
        return ""
    return f" (they cover {100 * found[-1]:.0f} % or more in simulations)"


def score_with_interval(row: Mapping[Any, Any], column: str, unit: Unit = PERCENT) -> str:
    """Return a score from a row of a table with its interval, if it has one.

    Examples
    --------
    >>> score_with_interval({"mpc": 0.5, "mpc_low": 0.4, "mpc_high": 0.612}, "mpc")
    '50.0 (40.0–61.2)'
    """
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    value = unit.text(row[column])
    return value if pd.isna(low) else f"{value} ({unit.text(low)}–{unit.text(high)})"


def score_alone(row: Mapping[Any, Any], column: str, unit: Unit = PERCENT) -> str:
    """Return a score from a row of a table without its interval."""
    return unit.text(row[column])


def seen_in_training(model: ModelRecord, record: RunRecord) -> list[str]:
    """Return the corruptions of a run that the model was trained with, according to its card."""
    seen = model.card.get("seen_corruptions")
    here = {c.corruption for c in record.conditions if c.corruption != CLEAN}
    return [name for name in seen if name in here] if isinstance(seen, list | tuple) else []
