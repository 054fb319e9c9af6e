"""`trimap-W`: mIoU over the pixels within W pixels of a boundary of the target.

Kohli et al., International Journal of Computer Vision 2009. The image's border is no boundary.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from reports.run.tally import IGNORE_INDEX, Prediction, Row, Tally
from reports.tallies._bands import TITLE, at_width, near_boundary, only, width_of
from reports.tallies._matrix import COLUMNS, OF_TARGET, class_counts, iou_measures

__all__ = ["tally"]

Labels = NDArray[np.uint8]


def tally(argument: str) -> Tally:
    """Return the tally whose width is the argument."""
    width = width_of("trimap", argument)
    at = at_width(width)
    return Tally(
        name=f"trimap-{width}",
        title=TITLE,
        note="Trimap mIoU is the mIoU over the pixels within the given width of a boundary of the target.",
        columns=dict.fromkeys(COLUMNS, "classes"),
        of_target=OF_TARGET,
        count=_count,
        measures=iou_measures("trimap_miou", f"trimap mIoU {at}", "trimap_iou", f"trimap IoU {at}"),
        prepare=functools.partial(_near, width=width),
        table="boundaries",
        keys={"width": width},
    )


def _near(target: Labels, width: int) -> Labels:
    """Return the target's labels near its boundaries, IGNORE_INDEX elsewhere."""
    return only(target, near_boundary(target, target == IGNORE_INDEX, width))


def _count(prediction: Prediction, near: Labels, num_classes: int) -> Row:
    return class_counts(prediction.labels, near, num_classes)
