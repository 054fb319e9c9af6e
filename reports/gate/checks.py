"""The checks of a gate: one rule for one score of one model, and its verdict."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from reports.gate.baseline import ModelBaseline, Score
from reports.gate.rules import RULES, Rules, limits
from reports.run.record import CLEAN, Condition
from reports.scoring.measures import Measure
from reports.scoring.resampling import Bootstrap, interval

__all__ = ["FAIL", "INCONCLUSIVE", "PASS", "Check", "checks_of", "lacking_model"]

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
SAME = 2e-6  # a baseline's file keeps six digits
UNDEFINED = Score(math.nan, math.nan, math.nan)
EDGE = 1e-9  # of a limit: 1.0 points are not more than 1.0


@dataclasses.dataclass(frozen=True)
class Check:
    """One rule for one score of one model. Fractions; NaN is undefined.

    `value` is what the rule is about, with its interval: the drop, the rise, the relative drop, or for a
    floor the score.
    """

    model: str
    rule: str
    target: str
    limit: float
    baseline: float
    score: float
    value: float
    low: float
    high: float
    verdict: str
    reason: str = ""


def checks_of(
    new: ModelBaseline,
    old: ModelBaseline | None,
    rules: Rules,
    bootstrap: Bootstrap,
    missing: frozenset[Condition] = frozenset(),
) -> Iterator[Check]:
    """Yield the checks of a model; what neither side defines is checked only where a rule names it."""
    known = list(dict.fromkeys([*(old.scores if old else ()), *new.scores]))
    for rule in RULES:
        targets = getattr(rules, rule)
        for measure, percent in limits(targets, known, rule).items():
            before = old.scores.get(measure, UNDEFINED) if old else UNDEFINED
            after = new.scores.get(measure, UNDEFINED)
            named = str(measure) in targets or measure.name in targets
            if math.isnan(after.value) and (rule == "floor" or math.isnan(before.value)) and not named:
                continue
            value = after
            if rule != "floor" and old is not None:
                value = _drop(new, old, measure, bootstrap, relative=rule == "max_relative_drop")
                if rule == "max_rise":
                    value = Score(-value.value, -value.high, -value.low)
                if old.replicates is None and _same_predictions(new, old, measure):
                    value = Score(value.value, value.value, value.value)
            verdict, reason = _judge(value, percent / 100, floor=rule == "floor", intervals=rules.intervals)
            if _touches(measure, missing):
                verdict, reason = FAIL, "the run lacks conditions of the baseline"
            yield Check(
                new.name,
                rule,
                str(measure),
                percent / 100,
                before.value,
                after.value,
                value.value,
                value.low,
                value.high,
                verdict,
                reason,
            )


def lacking_model(name: str) -> Check:
    """Return the check that fails because the run lacks a model of the baseline."""
    nothing = (math.nan,) * 6
    return Check(name, "max_drop", "model", *nothing, FAIL, "the run lacks this model of the baseline")


def _drop(
    new: ModelBaseline, old: ModelBaseline, measure: Measure, bootstrap: Bootstrap, *, relative: bool
) -> Score:
    """Return how much lower the new score is, with an interval; `relative` to the old one."""
    before, after = old.scores.get(measure, UNDEFINED), new.scores.get(measure, UNDEFINED)
    scale = before.value if relative else 1.0
    if math.isnan(before.value) or math.isnan(after.value) or scale == 0:
        return UNDEFINED
    if old.replicates is not None and new.replicates is not None:
        lost = old.replicates[measure] - new.replicates[measure]
        if relative:
            lost = np.divide(lost, old.replicates[measure], out=np.full_like(lost, np.nan),
                             where=old.replicates[measure] != 0)  # fmt: skip
        low, high = interval(lost, 1 if math.isnan(after.low) else 2, bootstrap)
        return Score(float(lost[0]), float(low), float(high))
    drop = before.value - after.value
    least = drop - math.hypot(before.value - before.low, after.high - after.value)
    most = drop + math.hypot(before.high - before.value, after.value - after.low)
    return Score(drop / scale, least / scale, most / scale)


def _judge(value: Score, limit: float, *, floor: bool, intervals: bool) -> tuple[str, str]:
    """Return a verdict and its reason: no drop or rise beyond its limit, no score below its floor."""
    if math.isnan(value.value):
        return FAIL, "there is nothing to compare: a score is missing or undefined"
    sign = -1 if floor else 1
    best, worst = sorted((sign * value.low, sign * value.high)) if value.low == value.low else (math.nan,) * 2
    beyond = sign * value.value > sign * limit + EDGE
    if not intervals:
        return (FAIL if beyond else PASS), ""
    if math.isnan(best):
        return (FAIL, "") if beyond else (INCONCLUSIVE, "no interval: there are too few images")
    if best > sign * limit + EDGE:
        return FAIL, ""
    return (PASS, "") if worst <= sign * limit + EDGE else (INCONCLUSIVE, "the interval spans the limit")


def _touches(measure: Measure, missing: frozenset[Condition]) -> bool:
    """Return whether a score of the baseline rests on a missing condition."""
    if not missing or measure.kind == "clean-class":
        return False
    clean_too = any(c.corruption == CLEAN for c in missing)
    corrupted = {c for c in missing if c.corruption != CLEAN}
    touched = {
        "overall": bool(corrupted) if measure.name != "clean" else clean_too,
        "group": any(c.group == measure.name for c in corrupted),
        "corruption": any(c.corruption == measure.name for c in corrupted),
        "condition": any(f"{c.corruption}/{c.severity}" == measure.name for c in corrupted),
        "class": bool(corrupted),
    }
    return touched[measure.kind]


def _same_predictions(new: ModelBaseline, old: ModelBaseline, measure: Measure) -> bool:
    """Return whether weights and score are the same: then so were the predictions, on any images."""
    before, after = old.scores.get(measure, UNDEFINED), new.scores.get(measure, UNDEFINED)
    return new.sha256 == old.sha256 and abs(before.value - after.value) <= SAME
