"""Confidence intervals by the bootstrap over images, or over blocks of images that belong together.

Counts are added before they are scored, so a resample of images is a vector of integer weights, and all
resamples are one matrix product. The product is exact, because its sums of integers stay far below 2**53, so
it has the same bytes on any machine with any number of threads. The weights depend only on the images' names.
So all models and conditions of a run, and two runs on the same images, see the same resamples, and their
differences are paired.

Replicates are the last axis of an array: first the score itself, then `resamples` bootstrap replicates, and
for BCa one replicate for each unit that is left out.

Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from reports.run.errors import InputError

__all__ = [
    "Bootstrap",
    "Interval",
    "Method",
    "Units",
    "interval",
    "p_value",
    "replicate",
    "standard_error",
    "units_of",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Method = Literal["percentile", "bca"]

FEWEST = 20  # resamples; with fewer, an interval says nothing


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    """How intervals are computed: the number of `resamples`, the `confidence` and the `method`.

    "percentile" reads the replicates' quantiles; "bca" corrects them for bias and skewness (Efron 1987).
    In our simulations of mIoU with rare classes, both had the same coverage, so the simpler is the default.

    Raises
    ------
    InputError
        If a value cannot be used.
    """

    resamples: int = 2000
    confidence: float = 0.95
    method: Method = "percentile"

    def __post_init__(self) -> None:
        if not (isinstance(self.resamples, Integral) and self.resamples >= FEWEST):
            raise InputError(
                f"Expected at least {FEWEST} bootstrap resamples, but got {self.resamples!r}: "
                "choose more, such as 2000."
            )
        if not (isinstance(self.confidence, Real) and 0 < self.confidence < 1):
            raise InputError(
                f"Expected a confidence level between 0 and 1, but got {self.confidence!r}: "
                "write 95 % as 0.95."
            )
        if self.method not in get_args(Method):
            raise InputError(
                f"Expected {' or '.join(get_args(Method))} as the method of the intervals, "
                f"but got {self.method!r}: choose one of them."
            )


@dataclasses.dataclass(frozen=True)
class Units:
    """The units that are resampled: `count` images or clusters, as `kind` ("image" or "cluster") says.

    `place` (N,) is the index of each image's unit. `weights`, float64 (B, count), is how often each of B
    resamples contains each unit.
    """

    kind: str
    count: int
    place: NDArray[np.intp]
    weights: Floats


class Interval(NamedTuple):
    """The ends of intervals, (...); NaN where undefined."""

    low: Floats
    high: Floats


def units_of(images: Sequence[str], clusters: Sequence[str], resamples: int) -> Units:
    """Return the units of a run and their resamples: the `clusters` of the images, or if empty the images."""
    names = list(dict.fromkeys(clusters or images))
    places = {name: place for place, name in enumerate(names)}
    key = hashlib.blake2b(json.dumps([list(images), list(clusters)]).encode(), digest_size=16).digest()
    rng = np.random.default_rng(np.random.SeedSequence(int.from_bytes(key, "little")))
    count = len(names)
    draws = rng.integers(0, count, (resamples, count))
    bins = draws + count * np.arange(resamples)[:, None]
    weights = np.bincount(bins.ravel(), minlength=resamples * count).reshape(resamples, count)
    return Units(
        "cluster" if clusters else "image",
        count,
        np.array([places[name] for name in clusters or images], np.intp),
        weights.astype(np.float64),
    )


def replicate(counts: Ints, units: Units, method: Method = "percentile") -> Ints:
    """Return the sums of counts (N, ...) over the images of every replicate, (R, ...)."""
    flat = counts.reshape(len(counts), -1)
    if units.count < len(flat):
        merged = np.zeros((units.count, flat.shape[1]), np.int64)
        np.add.at(merged, units.place, flat)
        flat = merged
    total = flat.sum(axis=0, keepdims=True)
    resampled = units.weights @ flat.astype(np.float64)
    left_out = total - flat if method == "bca" else flat[:0]
    sums = np.concatenate([total, resampled.astype(np.int64), left_out])
    return sums.reshape(len(sums), *counts.shape[1:])


def interval(values: Floats, units: int | Ints, bootstrap: Bootstrap) -> Interval:
    """Return the intervals of replicates (..., R): NaN if the score is NaN or there is a single unit.

    `units` is the number of units, one for all scores or (...) for each.
    """
    tail = (1 - bootstrap.confidence) / 2
    estimate, resampled = values[..., 0], np.sort(values[..., 1 : 1 + bootstrap.resamples], axis=-1)
    bias, skewness = _corrections(values, bootstrap)
    ends = []
    for level in (tail, 1 - tail):
        z = bias + ndtri(level)
        ends.append(_quantile(resampled, ndtr(bias + z / (1 - skewness * z))))
    undefined = np.isnan(estimate) | (units < 2)
    low, high = (np.where(undefined, np.nan, end) for end in ends)
    return Interval(low, high)


def p_value(differences: Floats, units: int, bootstrap: Bootstrap) -> Floats:
    """Return the two-sided p-value of a difference with replicates (..., R); the hypothesis is that it is 0.

    It is 1 minus the confidence at which the interval would just touch 0, and at least 2 / (resamples + 1).
    """
    resampled = differences[..., 1 : 1 + bootstrap.resamples]
    bias, skewness = _corrections(differences, bootstrap)
    w = ndtri(_share_below(resampled, np.zeros(differences.shape[:-1]))) - bias
    below = ndtr(w / (1 + skewness * w) - bias)
    p = np.clip(2 * np.minimum(below, 1 - below), 2 / (bootstrap.resamples + 1), 1)
    same = (resampled == 0).all(axis=-1)
    undefined = np.isnan(differences[..., 0]) | (units < 2)
    return np.where(undefined, np.nan, np.where(same, 1.0, p))


def standard_error(values: Floats, bootstrap: Bootstrap) -> Floats:
    """Return the standard error of scores with replicates (..., R): the deviation over resamples."""
    deviation: Floats = np.std(values[..., 1 : 1 + bootstrap.resamples], axis=-1, ddof=1)
    return deviation


def _corrections(values: Floats, bootstrap: Bootstrap) -> tuple[Floats, Floats]:
    """Return BCa's bias z0 and acceleration a, (...); zeros for percentiles."""
    estimate, left_out = values[..., 0], values[..., 1 + bootstrap.resamples :]
    if bootstrap.method == "percentile" or left_out.shape[-1] < 2:
        return np.zeros(estimate.shape), np.zeros(estimate.shape)
    bias = ndtri(_share_below(values[..., 1 : 1 + bootstrap.resamples], estimate))
    influence = left_out.mean(axis=-1, keepdims=True) - left_out
    spread = 6 * (influence**2).sum(axis=-1) ** 1.5
    skewness = np.divide((influence**3).sum(axis=-1), spread, out=np.zeros(estimate.shape), where=spread > 0)
    return bias, np.nan_to_num(skewness)


def _share_below(resampled: Floats, point: Floats) -> Floats:
    """Return the share of replicates below a point; ties count half, and it is never exactly 0 or 1."""
    number = resampled.shape[-1]
    less = (resampled < point[..., None]).sum(axis=-1)
    equal = (resampled == point[..., None]).sum(axis=-1)
    share: Floats = np.clip((less + equal / 2) / number, 0.5 / number, 1 - 0.5 / number)
    return share


def _quantile(ordered: Floats, level: Floats) -> Floats:
    """Return quantiles (...) of sorted replicates (..., B) at levels (...), interpolated; NaN sorts last."""
    defined = (~np.isnan(ordered)).sum(axis=-1)
    place = level * np.maximum(defined - 1, 0)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(defined - 1, 0))
    first = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
    second = np.take_along_axis(ordered, above[..., None], axis=-1)[..., 0]
    quantile: Floats = first + (place - below) * (second - first)
    return quantile
