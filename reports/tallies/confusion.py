"""The confusion counts of whole images: mIoU, IoU by class, pixel and mean accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reports.run.errors import InputError
from reports.run.tally import Columns, Measure, Prediction, Row, Tally
from reports.scoring.scores import mean_accuracy, pixel_accuracy
from reports.tallies._matrix import COLUMNS, OF_TARGET, class_counts, class_last, iou_measures

__all__ = ["tally"]

Floats = NDArray[np.float64]


def tally(argument: str) -> Tally:
    """Return the tally; it takes no argument."""
    if argument:
        raise InputError(
            f"Expected the tally 'confusion', but got 'confusion-{argument}': leave out '-{argument}'."
        )
    return Tally(
        name="confusion",
        title="Regions",
        note="mIoU measures how well predicted and true regions overlap, averaged over classes; 100 % is "
        "perfect.",
        columns=dict.fromkeys(COLUMNS, "classes"),
        of_target=OF_TARGET,
        count=_count,
        measures=(
            *iou_measures("miou", "mIoU", "iou", "IoU"),
            Measure("pixel_accuracy", "pixel accuracy", _pixel_accuracy, interval=False),
            Measure("mean_accuracy", "mean accuracy", _mean_accuracy, interval=False),
        ),
    )


def _count(prediction: Prediction, target: NDArray[np.uint8], num_classes: int) -> Row:
    return class_counts(prediction.labels, target, num_classes)


def _pixel_accuracy(columns: Columns) -> Floats:
    tp, _, fn = class_last(columns)
    return pixel_accuracy(tp, fn)


def _mean_accuracy(columns: Columns) -> Floats:
    tp, _, fn = class_last(columns)
    return mean_accuracy(tp, fn)
