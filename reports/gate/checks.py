"""The checks of a gate: one rule for one score of one model, and its verdict."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from reports.gate.baseline import Estimate, ModelBaseline
from reports.gate.rules import RULES, Rules, limits
from reports.run.record import CLEAN, Condition
from reports.run.tally import PERCENT, Measure, Unit
from reports.scoring.model_scores import ScoreKey, unit_of
from reports.scoring.resampling import Bootstrap, interval
from reports.scoring.scores import ratio

__all__ = ["FAIL", "INCONCLUSIVE", "PASS", "Check", "checks_of", "lacking_model"]

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
SAME = 2e-6  # a baseline's file keeps six digits
UNDEFINED = Estimate(math.nan, math.nan, math.nan)
EDGE = 1e-9  # tolerance of limits, so that rounding does not make 1.0 points exceed 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """One rule applied to one score of one model; undefined values are NaN.

    `value`, with its interval, is what the rule limits: the drop, the rise, the relative drop, or for a floor
    the score. A drop is a change for the worse and a rise a change for the better, whatever the direction of
    the measure. `unit` is the unit of `value`, `score_unit` the unit of `baseline` and `score`.
    """

    model: str
    rule: str
    target: str
    limit: float = math.nan
    baseline: float = math.nan
    score: float = math.nan
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    verdict: str
    reason: str = ""
    unit: Unit = PERCENT
    score_unit: Unit = PERCENT
    lower_is_better: bool = False

    @property
    def at_least(self) -> bool:
        """Whether the value must be at least its limit, rather than at most."""
        return self.rule == "floor" and not self.lower_is_better


def checks_of(
    new: ModelBaseline,
    old: ModelBaseline | None,
    rules: Rules,
    bootstrap: Bootstrap,
    missing: frozenset[Condition] = frozenset(),
) -> Iterator[Check]:
    """Yield the checks of a model; a score that is undefined on both sides needs a rule that names it."""
    known = _measures(old) | _measures(new)
    for rule in RULES:
        targets = getattr(rules, rule)
        for key, (limit, named) in limits(targets, known, rule).items():
            before = old.scores.get(key, UNDEFINED) if old else UNDEFINED
            after = new.scores.get(key, UNDEFINED)
            lacking = _touches(key, missing)
            undefined = math.isnan(after.value) and (rule == "floor" or math.isnan(before.value))
            if undefined and not named and not lacking:
                continue
            measure = known[key]
            lower = measure is not None and measure.better == "lower"
            unit = unit_of(measure, key.kind, key.name) if measure is not None else PERCENT
            value = after
            if rule != "floor" and old is not None:
                value = _lost(new, old, key, bootstrap, lower=lower, relative=rule == "max_relative_drop")
                if rule == "max_rise":
                    value = Estimate(-value.value, -value.high, -value.low)
                unpaired = old.replicates is None or math.isnan(value.low)
                if unpaired and _same_predictions(new, old, key):
                    value = Estimate(value.value, value.value, value.value)
            value_unit = PERCENT if rule == "max_relative_drop" else unit
            allowed = limit / value_unit.scale
            at_least = rule == "floor" and not lower
            verdict, reason = _judge(value, allowed, at_least=at_least, intervals=rules.intervals)
            if lacking:
                verdict, reason = FAIL, "the run lacks conditions of the baseline"
            yield Check(
                model=new.name,
                rule=rule,
                target=str(key),
                limit=allowed,
                baseline=before.value,
                score=after.value,
                value=value.value,
                low=value.low,
                high=value.high,
                verdict=verdict,
                reason=reason,
                unit=value_unit,
                score_unit=unit,
                lower_is_better=lower,
            )


def _measures(model: ModelBaseline | None) -> dict[ScoreKey, Measure | None]:
    """Return the measure of each score of a model, or None if the scores come from a file."""
    if model is None:
        return {}
    known = model.replicates or {}
    return {key: known[key].measure if key in known else None for key in model.scores}


def lacking_model(name: str) -> Check:
    """Return the check that fails because the run lacks a model of the baseline."""
    reason = "the run lacks this model of the baseline"
    return Check(model=name, rule="max_drop", target="model", verdict=FAIL, reason=reason)


def _lost(
    new: ModelBaseline,
    old: ModelBaseline,
    key: ScoreKey,
    bootstrap: Bootstrap,
    *,
    lower: bool,
    relative: bool,
) -> Estimate:
    """Return how much worse the new score is, with an interval.

    `relative` divides the loss by the old score. `lower` says that a lower score is better.
    """
    before, after = old.scores.get(key, UNDEFINED), new.scores.get(key, UNDEFINED)
    scale = before.value if relative else 1.0
    if math.isnan(before.value) or math.isnan(after.value) or scale == 0:
        return UNDEFINED
    if old.replicates is not None and new.replicates is not None:
        earlier = old.replicates[key].replicates
        lost = earlier - new.replicates[key].replicates
        if relative:
            lost = ratio(lost, earlier)
        low, high = interval(lost, new.units, bootstrap)
        drop = Estimate(float(lost[0]), float(low), float(high))
    else:
        value = before.value - after.value
        least = value - math.hypot(before.value - before.low, after.high - after.value)
        most = value + math.hypot(before.high - before.value, after.value - after.low)
        drop = Estimate(value / scale, least / scale, most / scale)
    return Estimate(-drop.value, -drop.high, -drop.low) if lower else drop


def _judge(value: Estimate, limit: float, *, at_least: bool, intervals: bool) -> tuple[str, str]:
    """Return the verdict and its reason; a value fails above its limit, or with `at_least` below it."""
    if math.isnan(value.value):
        return FAIL, "nothing to compare: a score is missing or undefined"
    sign = -1 if at_least else 1
    best, worst = sorted((sign * value.low, sign * value.high))
    beyond = sign * value.value > sign * limit + EDGE
    if not intervals:
        return (FAIL if beyond else PASS), ""
    if math.isnan(value.low):
        return (FAIL, "") if beyond else (INCONCLUSIVE, "no interval: there are too few images")
    if best > sign * limit + EDGE:
        return FAIL, ""
    return (PASS, "") if worst <= sign * limit + EDGE else (INCONCLUSIVE, "the interval spans the limit")


def _touches(key: ScoreKey, missing: frozenset[Condition]) -> bool:
    """Return whether a score of the baseline depends on a missing condition."""
    clean = any(c.corruption == CLEAN for c in missing)
    corrupted = {c for c in missing if c.corruption != CLEAN}
    touched = {
        "overall": {"clean": clean, "mpc": bool(corrupted), "rpc": bool(missing)}.get(key.name),
        "group": any(c.group == key.name for c in corrupted),
        "corruption": any(c.corruption == key.name for c in corrupted),
        "condition": any(f"{c.corruption}/{c.severity}" == key.name for c in corrupted),
        "class": bool(corrupted),
        "clean-class": clean,
    }
    return bool(touched[key.kind])


def _same_predictions(new: ModelBaseline, old: ModelBaseline, key: ScoreKey) -> bool:
    """Return whether weights and score are the same; the predictions were then the same on any images."""
    before, after = old.scores.get(key, UNDEFINED), new.scores.get(key, UNDEFINED)
    return new.sha256 == old.sha256 and abs(before.value - after.value) <= SAME
