"""Compute the scores of a protocol (mPC, rPC, CD, rCD, mCD, mrCD) from mIoU by condition.

Every function takes and returns arrays whose last axis is R replicates: the first is the score itself, the
others are the same score on resampled images (`reports.scoring.resampling`). A published number has R = 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reports.run.record import CLEAN, Condition
from reports.scoring.jackknife import interval
from reports.scoring.protocols import PROTOCOLS, Protocol
from reports.scoring.published import Published
from reports.scoring.scores import corruption_degradation, ratio, relative_corruption_degradation

__all__ = [
    "ModelCurves",
    "by_corruption",
    "by_group",
    "by_severity",
    "degradations",
    "mean_degradations",
    "mean_performance",
    "model_curves",
    "published_curves",
    "retention",
]

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class ModelCurves:
    """The mIoU of one model: `clean` (R,), and for each corruption (S, R) at its S `severities`."""

    clean: Floats
    corrupted: Mapping[str, Floats]
    severities: Mapping[str, tuple[int, ...]]


def model_curves(miou: Floats, conditions: Sequence[Condition]) -> ModelCurves:
    """Return the curves of a model from its mIoU by condition, (K, R); without a clean one, it is NaN."""
    clean = np.full(miou.shape[-1], np.nan)
    rows: dict[str, list[int]] = {}
    for place, condition in enumerate(conditions):
        if condition.corruption == CLEAN:
            clean = miou[place]
        else:
            rows.setdefault(condition.corruption, []).append(place)
    return ModelCurves(
        clean,
        {name: miou[places] for name, places in rows.items()},
        {name: tuple(conditions[place].severity for place in places) for name, places in rows.items()},
    )


def published_curves(row: Published) -> ModelCurves:
    """Return the curves of a published row; each severity has the published mean of its corruption."""
    severities = PROTOCOLS[row.protocol].severities
    return ModelCurves(
        np.array([row.clean]),
        {name: np.full((len(severities[name]), 1), miou) for name, miou in row.corrupted.items()},
        {name: severities[name] for name in row.corrupted},
    )


def by_corruption(curves: ModelCurves) -> dict[str, Floats]:
    """Return the mean mIoU over the severities of each corruption, NaN if one of them is NaN."""
    return {name: miou.mean(axis=0) for name, miou in curves.corrupted.items()}


def by_group(curves: ModelCurves, groups: Mapping[str, str]) -> dict[str, Floats]:
    """Return the mean mIoU over the conditions of each group; `groups` maps corruptions to groups."""
    rows: dict[str, list[Floats]] = {}
    for name, miou in curves.corrupted.items():
        rows.setdefault(groups[name], []).append(miou)
    return {group: np.concatenate(parts).mean(axis=0) for group, parts in rows.items()}


def by_severity(curves: ModelCurves) -> dict[int, Floats]:
    """Return, for each severity, the mean mIoU over the corruptions that have it."""
    rows: dict[int, list[Floats]] = {}
    for name, miou in curves.corrupted.items():
        for severity, values in zip(curves.severities[name], miou, strict=True):
            rows.setdefault(severity, []).append(values)
    return {severity: np.mean(rows[severity], axis=0) for severity in sorted(rows)}


def mean_performance(curves: ModelCurves, protocol: Protocol) -> Floats:
    """Return mPC, the mean mIoU under corruption (Michaelis et al. 2019), with the protocol's weights."""
    if not curves.corrupted:
        return np.full_like(curves.clean, np.nan)
    if protocol.mean_over == "corruptions":
        return np.asarray(np.mean(list(by_corruption(curves).values()), axis=0))
    return np.asarray(np.concatenate(list(curves.corrupted.values())).mean(axis=0))


def retention(miou: Floats, clean: Floats) -> Floats:
    """Return the share of the clean mIoU that is kept. If `miou` is mPC, this is rPC."""
    return ratio(miou, clean)


def degradations(curves: ModelCurves, reference: ModelCurves) -> dict[str, tuple[Floats, Floats]]:
    """Return (CD, rCD) of each corruption against a reference; unstable ratios have no replicates."""
    return {
        name: _ratios(miou, curves.clean, reference.corrupted[name], reference.clean)
        for name, miou in curves.corrupted.items()
    }


def _ratios(miou: Floats, clean: Floats, reference: Floats, reference_clean: Floats) -> tuple[Floats, Floats]:
    """Return CD and rCD from mIoU by severity, (S, R), and clean, (R,)."""
    return (
        _stable(corruption_degradation(miou, reference), (1 - reference).sum(axis=0)),
        _stable(
            relative_corruption_degradation(miou, clean, reference, reference_clean),
            (reference_clean - reference).sum(axis=0),
        ),
    )


def _stable(ratios: Floats, denominator: Floats) -> Floats:
    """Return ratios (R,) without replicates if their denominator (R,) cannot be told from zero.

    If its interval contains zero, that of the ratio is unbounded (Fieller, JRSS B 1954). A denominator
    without an interval, such as a published one, must be positive.
    """
    low, _ = interval(denominator)
    least = float(denominator[0] if np.isnan(low) else low)
    if least > 0:
        return ratios
    unstable = np.full_like(ratios, np.nan)
    unstable[0] = ratios[0]
    return unstable


def mean_degradations(
    curves: ModelCurves, reference: ModelCurves, protocol: Protocol
) -> tuple[Floats, Floats]:
    """Return (mCD, mrCD) against a reference, averaged over corruptions as the protocol says."""
    if not curves.corrupted:
        undefined = np.full_like(curves.clean, np.nan)
        return undefined, undefined
    if protocol.ratio == "ratio of sums":
        mine = np.stack(list(by_corruption(curves).values()))
        other = np.stack([reference.corrupted[name].mean(axis=0) for name in curves.corrupted])
        return _ratios(mine, curves.clean, other, reference.clean)
    pairs = list(degradations(curves, reference).values())
    return np.asarray(np.mean([cd for cd, _ in pairs], axis=0)), np.asarray(
        np.mean([rcd for _, rcd in pairs], axis=0)
    )
