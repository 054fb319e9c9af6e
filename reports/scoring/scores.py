"""Scores as pure functions of confusion counts or of other scores. An undefined score is NaN.

The last axis of counts is the classes: (..., C). Scores are fractions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "corruption_degradation",
    "defined_mean",
    "iou",
    "mean_accuracy",
    "miou",
    "pixel_accuracy",
    "ratio",
    "relative_corruption_degradation",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def iou(tp: Ints, fp: Ints, fn: Ints) -> Floats:
    """Return the intersection over union by class, (..., C); NaN for a class that occurs nowhere.

    Examples
    --------
    >>> import numpy as np
    >>> iou(np.array([3, 0]), np.array([1, 0]), np.array([2, 0]))
    array([0.5, nan])
    """
    return ratio(tp, tp + fp + fn)


def miou(tp: Ints, fp: Ints, fn: Ints) -> Floats:
    """Return the mean IoU over the classes that occur, (...).

    The counts are sums over a whole data set. The mean of the IoUs of single images is a different score.
    """
    return defined_mean(iou(tp, fp, fn))


def pixel_accuracy(tp: Ints, fn: Ints) -> Floats:
    """Return the share of labelled pixels that are predicted correctly, (...)."""
    return ratio(tp.sum(axis=-1), (tp + fn).sum(axis=-1))


def mean_accuracy(tp: Ints, fn: Ints) -> Floats:
    """Return the share of each class's pixels that are predicted correctly, averaged over target classes."""
    return defined_mean(ratio(tp, tp + fn))


def corruption_degradation(miou: Sequence[float] | Floats, reference: Sequence[float] | Floats) -> Floats:
    """Return CD of one corruption: 1 - mIoU summed over severities, divided by that of a reference model.

    Kamann & Rother, IJCV 2021. CD is 1 for the reference itself; lower is better. Severities are the first
    axis, (S, ...) -> (...).

    Examples
    --------
    >>> round(float(corruption_degradation([0.8, 0.6], [0.6, 0.4])), 3)
    0.6
    """
    return ratio(_lost(miou, 1.0), _lost(reference, 1.0))


def relative_corruption_degradation(
    miou: Sequence[float] | Floats,
    clean: float | Floats,
    reference: Sequence[float] | Floats,
    reference_clean: float | Floats,
) -> Floats:
    """Return rCD of one corruption: clean mIoU - mIoU summed over severities, divided by a reference's.

    Kamann & Rother, IJCV 2021. For a mild corruption, the denominator may be near zero and the ratio large.
    Severities are the first axis, (S, ...) -> (...).

    Examples
    --------
    >>> round(float(relative_corruption_degradation([0.8, 0.6], 0.9, [0.6, 0.4], 0.7)), 3)
    1.0
    """
    return ratio(_lost(miou, clean), _lost(reference, reference_clean))


def defined_mean(values: Floats) -> Floats:
    """Return the mean over the last axis of the values that are not NaN; NaN if all of them are."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _lost(miou: Sequence[float] | Floats, start: float | Floats) -> Floats:
    return np.asarray(np.sum(start - np.asarray(miou, np.float64), axis=0))


def ratio(numerator: NDArray[np.generic], denominator: NDArray[np.generic]) -> Floats:
    """Return the quotient, NaN where the denominator is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    result: Floats = np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=bottom != 0)
    return result
