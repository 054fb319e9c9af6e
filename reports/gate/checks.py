"""The checks of a gate: one rule for one score of one model, and its verdict."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from reports.gate.rules import RULES, Rules, limits
from reports.run.record import CLEAN, Condition
from reports.run.tally import PERCENT, Unit
from reports.scoring.jackknife import Estimate, behind, interval
from reports.scoring.model_scores import ModelScore, ScoreKey, is_share, unit_of
from reports.scoring.scores import ratio

__all__ = ["FAIL", "INCONCLUSIVE", "PASS", "Check", "checks_of", "lacking_model"]

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
Floats = NDArray[np.float64]
Scores = Mapping[ScoreKey, ModelScore]
EDGE = 1e-9  # tolerance of limits, so that rounding does not make 1.0 points exceed 1.0


UNDEFINED = Estimate(math.nan, math.nan, math.nan)


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
    model: str,
    new: Scores,
    old: Scores | None,
    rules: Rules,
    confidence: float,
    missing: frozenset[Condition] = frozenset(),
    *,
    same_weights: bool = False,
) -> Iterator[Check]:
    """Yield the checks of a model; a score that is undefined on both sides needs a rule that names it.

    With the same weights on both sides, a score that has not changed would not change on other images either.
    """
    known = {key: score.measure for key, score in {**(old or {}), **new}.items()}
    for rule in RULES:
        targets = getattr(rules, rule)
        for key, (limit, named) in limits(targets, known, rule).items():
            before, after = _score(old or {}, key), _score(new, key)
            lacking = _touches(key, missing)
            undefined = math.isnan(after) and (rule == "floor" or math.isnan(before))
            if undefined and not named and not lacking:
                continue
            measure = known[key]
            lower = measure.better == "lower"
            unit = unit_of(measure, key.kind, key.name)
            if rule == "floor":
                value = _reached(new, key, confidence)
            else:
                lost = _lost(new, old or {}, key, confidence, relative=rule == "max_relative_drop")
                if same_weights and lost.value == 0:
                    lost = Estimate(0.0, 0.0, 0.0)
                value = (
                    lost if lower == (rule == "max_rise") else Estimate(-lost.value, -lost.high, -lost.low)
                )
            value_unit = PERCENT if rule == "max_relative_drop" else unit
            allowed = limit / value_unit.scale
            at_least = rule == "floor" and not lower
            verdict, reason = _judge(value, allowed, at_least=at_least, intervals=rules.intervals)
            if lacking:
                verdict, reason = FAIL, "the run lacks conditions of the baseline"
            yield Check(
                model=model,
                rule=rule,
                target=str(key),
                limit=allowed,
                baseline=before,
                score=after,
                value=value.value,
                low=value.low,
                high=value.high,
                verdict=verdict,
                reason=reason,
                unit=value_unit,
                score_unit=unit,
                lower_is_better=lower,
            )


def lacking_model(name: str) -> Check:
    """Return the check that fails because the run lacks a model of the baseline."""
    reason = "the run lacks this model of the baseline"
    return Check(model=name, rule="max_drop", target="model", verdict=FAIL, reason=reason)


def _score(scores: Scores, key: ScoreKey) -> float:
    return float(scores[key].replicates[0]) if key in scores else math.nan


def _reached(new: Scores, key: ScoreKey, confidence: float) -> Estimate:
    """Return a score with its interval."""
    if key not in new:
        return UNDEFINED
    measure, values = new[key]
    low, high = interval(values, confidence, share=is_share(measure, key))
    return Estimate(float(values[0]), float(low), float(high))


def _lost(new: Scores, old: Scores, key: ScoreKey, confidence: float, *, relative: bool) -> Estimate:
    """Return how much lower the new score is, with the interval of the paired difference.

    `relative` divides the loss by the old score.
    """
    if key not in old or key not in new:
        return UNDEFINED
    earlier, later = old[key].replicates, new[key].replicates
    lost: Floats = ratio(earlier - later, earlier) if relative else earlier - later
    units = np.maximum(behind(earlier), behind(later))
    low, high = interval(lost, confidence, units=units)
    return Estimate(float(lost[0]), float(low), float(high))


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
