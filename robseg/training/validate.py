"""The mIoU of predictions over a validation split."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from robseg.evaluation.counts import Counts, count

__all__ = ["miou", "miou_of"]


def miou(counts: Counts) -> float:
    """Return the mean IoU over the classes that occur in target or prediction (NaN where none does).

    Examples
    --------
    >>> miou(Counts(np.array([3, 1, 0]), np.array([1, 0, 0]), np.array([0, 1, 0])))
    0.625
    """
    union = counts.tp + counts.fp + counts.fn
    occurs = union > 0
    return float((counts.tp[occurs] / union[occurs]).mean()) if occurs.any() else float("nan")


def miou_of(pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]], num_classes: int) -> float:
    """Return the mIoU of predictions against targets, uint8 (H, W) each, counted over all of them."""
    total = np.zeros((3, num_classes), np.int64)
    for prediction, target in pairs:
        total += np.stack(count(prediction, target, num_classes))
    return miou(Counts(*total))
