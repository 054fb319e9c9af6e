"""Confusion counts of one image: the only thing that evaluation remembers of a prediction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from robseg.datasets.base import IGNORE_INDEX

__all__ = ["Counts", "count"]


class Counts(NamedTuple):
    """True positives, false positives and false negatives by class, int64 (C,). Counts merge by addition."""

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]


def count(
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    num_classes: int,
    ignore_index: int = IGNORE_INDEX,
) -> Counts:
    """Count an image's pixels by class.

    Pixels whose target is `ignore_index` are left out. A prediction that is no class (>= num_classes) is a
    false negative of the target's class and a false positive of none.

    Parameters
    ----------
    prediction, target
        uint8 (H, W).

    Examples
    --------
    >>> import numpy as np
    >>> target = np.array([[0, 0, 1, 255]], np.uint8)
    >>> prediction = np.array([[0, 1, 1, 0]], np.uint8)
    >>> count(prediction, target, 2)
    Counts(tp=array([1, 1]), fp=array([0, 1]), fn=array([1, 0]))
    """
    if prediction.shape != target.shape:
        raise ValueError(
            f"Expected `prediction` and `target` of one shape, but got {prediction.shape} and {target.shape}."
        )
    # One histogram over 16-bit codes (target, prediction): a byte each, so that no mask is needed.
    codes = (target.astype(np.uint16) << 8) | prediction
    matrix = np.bincount(codes.ravel(), minlength=1 << 16).reshape(256, 256)
    matrix[ignore_index] = 0
    labelled = matrix[:num_classes]
    tp = np.diagonal(labelled)[:num_classes].astype(np.int64)
    fp = labelled.sum(axis=0)[:num_classes].astype(np.int64) - tp
    fn = labelled.sum(axis=1).astype(np.int64) - tp
    return Counts(tp, fp, fn)
