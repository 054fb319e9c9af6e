"""True positives, false positives and false negatives by class, from one histogram of label pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reports.run.tally import IGNORE_INDEX, Columns, Measure, Row
from reports.scoring.scores import iou, miou

__all__ = ["COLUMNS", "OF_TARGET", "class_counts", "class_last", "iou_measures", "pairs"]

COLUMNS = ("tp", "fp", "fn")
OF_TARGET = ("tp", "fn")

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pairs(prediction: Labels, target: Labels) -> Ints:
    """Return the number of pixels with each pair of labels, (256, 256): target by prediction.

    Raises
    ------
    ValueError
        If the two differ in shape.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            f"Expected `prediction` and `target` of one shape, but got {prediction.shape} and {target.shape}."
        )
    # Each pair of labels is one 16-bit code, so that no mask is needed.
    codes = (target.astype(np.uint16) << 8) | prediction
    return np.bincount(codes.ravel(), minlength=1 << 16).reshape(256, 256).astype(np.int64, copy=False)


def class_counts(prediction: Labels, target: Labels, num_classes: int) -> Row:
    """Count an image's pixels by class, int64 (C,).

    Pixels whose target is IGNORE_INDEX are left out. A predicted label that is not a class (>= num_classes)
    counts as a false negative of the target's class and as no false positive.

    Examples
    --------
    >>> target = np.array([[0, 0, 1, 255]], np.uint8)
    >>> prediction = np.array([[0, 1, 1, 0]], np.uint8)
    >>> class_counts(prediction, target, 2)
    {'tp': array([1, 1]), 'fp': array([0, 1]), 'fn': array([1, 0])}
    """
    matrix = pairs(prediction, target)
    matrix[IGNORE_INDEX] = 0
    labelled = matrix[:num_classes]
    tp = np.diagonal(labelled)[:num_classes].copy()
    return {"tp": tp, "fp": labelled.sum(axis=0)[:num_classes] - tp, "fn": labelled.sum(axis=1) - tp}


def iou_measures(miou_name: str, miou_label: str, iou_name: str, iou_label: str) -> tuple[Measure, ...]:
    """Return two measures of the columns tp, fp and fn: the IoU by class, and before it their mean."""
    return (
        Measure(miou_name, miou_label, _miou),
        Measure(iou_name, iou_label, _iou, by_class=True),
    )


def class_last(columns: Columns) -> tuple[Ints, Ints, Ints]:
    """Return tp, fp and fn (..., C, R) as (..., R, C)."""
    tp, fp, fn = (np.moveaxis(columns[name], -2, -1) for name in COLUMNS)
    return tp, fp, fn


def _miou(columns: Columns) -> Floats:
    return miou(*class_last(columns))


def _iou(columns: Columns) -> Floats:
    return np.moveaxis(iou(*class_last(columns)), -1, -2)
