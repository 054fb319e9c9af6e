"""All about one model that a comparison or a gate may look at, with replicates, under one name each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.record import CLEAN
from reports.scoring.aggregate import by_corruption, by_group, curves_of, mean_performance, retention
from reports.scoring.protocols import Protocol
from reports.scoring.replicates import Replicates

__all__ = ["KINDS", "Measure", "measures"]

Floats = NDArray[np.float64]

# What a reader is told of each kind, with the `reports.scoring.regions.ScoreNames` of what is scored.
KINDS = {
    "overall": "Overall",
    "group": "Groups: {mean} over the conditions of a group",
    "corruption": "Corruptions: {mean} over severities",
    "condition": "Conditions: {mean} of a corruption at a severity",
    "class": "Classes: {of_class} over the corrupted conditions",
    "clean-class": "Classes: {of_class} on clean images",
}


class Measure(NamedTuple):
    """A score's place: a kind of KINDS and a name within it; `str` gives what rules call it.

    Examples
    --------
    >>> str(Measure("overall", "mpc")), str(Measure("corruption", "fog"))
    ('mpc', 'corruption:fog')
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "overall" else f"{self.kind}:{self.name}"


def measures(scored: Replicates, model: int, protocol: Protocol) -> dict[Measure, Floats]:
    """Return the scores of a model of a run with their replicates (R,), each a fraction; higher is better."""
    conditions = scored.record.conditions
    curves = curves_of(scored.miou[model], conditions)
    found = {Measure("overall", "clean"): curves.clean}
    if curves.corrupted:
        mpc = mean_performance(curves, protocol)
        found[Measure("overall", "mpc")] = mpc
        found[Measure("overall", "rpc")] = retention(mpc, curves.clean)
    group_of = {condition.corruption: condition.group for condition in conditions}
    found |= {Measure("group", name): values for name, values in by_group(curves, group_of).items()}
    found |= {Measure("corruption", name): values for name, values in by_corruption(curves).items()}
    found |= {
        Measure("condition", f"{condition.corruption}/{condition.severity}"): scored.miou[model, place]
        for place, condition in enumerate(conditions)
        if condition.corruption != CLEAN
    }
    if scored.classes is not None:
        for place, name in enumerate(scored.record.dataset["class_names"]):
            if curves.corrupted:
                found[Measure("class", name)] = scored.classes.corrupted[model, place]
            found[Measure("clean-class", name)] = scored.classes.clean[model, place]
    return found
