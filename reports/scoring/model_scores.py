"""Every score of one model by one tally, keyed by name, with its replicates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.record import CLEAN
from reports.run.tally import PERCENT, Measure, Unit
from reports.scoring.aggregate import by_corruption, by_group, mean_performance, model_curves, retention
from reports.scoring.protocols import Protocol
from reports.scoring.replicates import Replicates

__all__ = ["KINDS", "ModelScore", "ScoreKey", "is_share", "model_scores", "unit_of"]

Floats = NDArray[np.float64]

# The heading of the scores of each kind; {measure} stands for the measure's label.
KINDS = {
    "overall": "Overall",
    "group": "Groups: {measure} over the conditions of a group",
    "corruption": "Corruptions: {measure} over severities",
    "condition": "Conditions: {measure} of a corruption at a severity",
    "class": "Classes: {measure} over the corrupted conditions",
    "clean-class": "Classes: {measure} on clean images",
}


class ScoreKey(NamedTuple):
    """The name of a score: its kind in KINDS, its name within it, and its measure's `Tally.prefix`.

    Examples
    --------
    >>> str(ScoreKey("overall", "mpc")), str(ScoreKey("corruption", "fog", "trimap-2/"))
    ('mpc', 'trimap-2/corruption:fog')
    """

    kind: str
    name: str
    prefix: str = ""

    def __str__(self) -> str:
        return self.prefix + (self.name if self.kind == "overall" else f"{self.kind}:{self.name}")


class ModelScore(NamedTuple):
    """The replicates (R,) of one score, and its measure."""

    measure: Measure
    replicates: Floats


def unit_of(measure: Measure, kind: str, name: str) -> Unit:
    """Return the unit of a measure's score; rPC is a percentage, whatever the unit of the measure."""
    return PERCENT if (kind, name) == ("overall", "rpc") else measure.unit


def is_share(measure: Measure, key: ScoreKey) -> bool:
    """Return whether a score cannot leave 0..1: a percentage that is no ratio of two scores."""
    return measure.unit == PERCENT and (key.kind, key.name) != ("overall", "rpc")


def model_scores(scored: Replicates, model: int, protocol: Protocol) -> dict[ScoreKey, ModelScore]:
    """Return the scores of the model with index `model` in a scored run, measure by measure."""
    found: dict[ScoreKey, ModelScore] = {}
    for measure in scored.tally.whole:
        prefix = scored.tally.prefix(measure)
        for (kind, name), values in _whole(scored, model, measure, protocol).items():
            found[ScoreKey(kind, name, prefix)] = ModelScore(measure, values)
    for measure in scored.tally.by_class:
        prefix = scored.tally.prefix(measure)
        for (kind, name), values in _by_class(scored, model, measure).items():
            found[ScoreKey(kind, name, prefix)] = ModelScore(measure, values)
    return found


def _whole(
    scored: Replicates, model: int, measure: Measure, protocol: Protocol
) -> dict[tuple[str, str], Floats]:
    conditions = scored.record.conditions
    values = scored.measures[measure.name][model]
    curves = model_curves(values, conditions)
    found = {("overall", "clean"): curves.clean}
    if curves.corrupted:
        mpc = mean_performance(curves, protocol)
        found["overall", "mpc"] = mpc
        if measure.better == "higher":  # the share of an error that is kept means nothing
            found["overall", "rpc"] = retention(mpc, curves.clean)
    group_of = {condition.corruption: condition.group for condition in conditions}
    found |= {("group", name): mean for name, mean in by_group(curves, group_of).items()}
    found |= {("corruption", name): mean for name, mean in by_corruption(curves).items()}
    return found | {
        ("condition", f"{condition.corruption}/{condition.severity}"): values[place]
        for place, condition in enumerate(conditions)
        if condition.corruption != CLEAN
    }


def _by_class(scored: Replicates, model: int, measure: Measure) -> dict[tuple[str, str], Floats]:
    if measure.name not in scored.classes:
        return {}
    means = scored.classes[measure.name]
    corrupted = any(condition.corruption != CLEAN for condition in scored.record.conditions)
    found = {}
    for place, name in enumerate(scored.record.dataset["class_names"]):
        if corrupted:
            found["class", name] = means.corrupted[model, place]
        found["clean-class", name] = means.clean[model, place]
    return found
