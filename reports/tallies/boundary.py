"""`boundary-W`: boundary IoU, the IoU of the bands inside the outlines of a class in target and prediction.

Cheng et al., CVPR 2021, arXiv:2103.16562. As in the authors' program, which erodes with a 3x3 square W times,
the image's border bounds every mask.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.tally import IGNORE_INDEX, Prediction, Row, Tally
from reports.tallies._bands import TITLE, at_width, near_boundary, only, width_of, with_border
from reports.tallies._matrix import COLUMNS, OF_TARGET, iou_measures, pairs

__all__ = ["tally"]

Labels = NDArray[np.uint8]


class Bands(NamedTuple):
    """The labels (H, W) in the inner bands of a target, IGNORE_INDEX elsewhere; which pixels are ignored."""

    inner: Labels
    ignored: NDArray[np.bool_]


def tally(argument: str) -> Tally:
    """Return the tally whose width is the argument."""
    width = width_of("boundary", argument)
    at = at_width(width)
    return Tally(
        name=f"boundary-{width}",
        title=TITLE,
        note="Boundary IoU measures how well the inner edges of predicted and true regions overlap.",
        columns=dict.fromkeys(COLUMNS, "classes"),
        of_target=OF_TARGET,
        count=functools.partial(_count, width=width),
        measures=iou_measures(
            "boundary_iou", f"boundary IoU {at}", "class_boundary_iou", f"boundary IoU {at}"
        ),
        prepare=functools.partial(_bands, width=width),
        table="boundaries",
        keys={"width": width},
    )


def _bands(target: Labels, width: int) -> Bands:
    ignored = target == IGNORE_INDEX
    return Bands(_inner(target, ignored, width), ignored)


def _inner(labels: Labels, ignored: NDArray[np.bool_], width: int) -> Labels:
    return only(labels, with_border(near_boundary(labels, ignored, width), ignored, width))


def _count(prediction: Prediction, bands: Bands, num_classes: int, width: int) -> Row:
    """Count the pixels of both bands by class, including pixels that only one of the bands contains."""
    matrix = pairs(_inner(prediction.labels, bands.ignored, width), bands.inner)
    tp, predicted, true = (
        part[:num_classes] for part in (np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1))
    )
    return {"tp": tp.copy(), "fp": predicted - tp, "fn": true - tp}
