"""What SegFix's network learns: where boundaries are, and where the inside lies, both from labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from robseg.models.refine.directions import direction_of

__all__ = ["OffsetTargets", "offset_targets"]

MAX_DISTANCE = 5  # pixels from the boundary, that are still of it
MIN_PIXELS = 100  # of a class, for it to have an inside
DEEPEST = 250  # a distance is kept in a byte
ANGLE_STEP = 2  # degrees, so that an angle is kept in a byte
RADIUS = 2


class OffsetTargets(NamedTuple):
    """Targets of one image, uint8 (H, W) each, `ignore_index` where nothing is to be learnt.

    `mask`: 1 near a boundary, 0 inside. `directions`: 0..7, places in `DIRECTIONS`, for every pixel that has
    one; the training looks at those near boundaries.
    """

    mask: NDArray[np.uint8]
    directions: NDArray[np.uint8]


def offset_targets(labels: NDArray[np.uint8], ignore_index: int = 255) -> OffsetTargets:
    """Return the targets of an image's labels, uint8 (H, W).

    Of each class of 100 pixels or more: the distance to its edge, by which pixels up to 5 away are the
    boundary, and that distance's gradient, which points inside. Distances lose their fractions and angles are
    even, as in the authors' files. The image's border is no edge. Pixels of smaller classes count as
    boundary, without a direction.

    Examples
    --------
    >>> labels = np.zeros((20, 20), np.uint8)
    >>> labels[:, 10:] = 1
    >>> targets = offset_targets(labels)
    >>> targets.mask[9].tolist()
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    >>> targets.directions[9, 9], targets.directions[9, 10]  # to the left, to the right
    (np.uint8(0), np.uint8(4))
    """
    depth, inward = _depth_and_gradient(labels, ignore_index)
    mask = np.minimum(depth, DEEPEST).astype(np.uint8) <= MAX_DISTANCE
    degrees = np.degrees(np.arctan2(inward[0], inward[1]))
    even = np.floor((degrees + 180) / ANGLE_STEP) * ANGLE_STEP - 180
    ignored = labels == ignore_index
    undirected = ignored | ~inward.any(axis=0)
    return OffsetTargets(
        mask=np.where(ignored, ignore_index, mask).astype(np.uint8),
        directions=np.where(undirected, ignore_index, direction_of(even)).astype(np.uint8),
    )


def _depth_and_gradient(
    labels: NDArray[np.uint8], ignore_index: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each pixel's distance to its region's edge (H, W), and that distance's gradient (2, H, W)."""
    depth = np.zeros(labels.shape, np.float32)
    gradient = np.zeros((2, *labels.shape), np.float32)
    kernels = _gradient_kernels()
    for label in _large_classes(labels, ignore_index):
        box = _surroundings(labels == label)
        region = labels[box] == label
        distance = np.full(region.shape, DEEPEST, np.float32)
        if not region.all():  # without an edge, there is no distance to it
            distance = ndimage.distance_transform_edt(region).astype(np.float32)
        depth[box][region] = distance[region]
        for slopes, kernel in zip(gradient, kernels, strict=True):
            slopes[box][region] = ndimage.correlate(distance, kernel, mode="constant")[region]
    return depth, gradient


def _large_classes(labels: NDArray[np.uint8], ignore_index: int) -> list[int]:
    pixels = np.bincount(labels.ravel(), minlength=256)
    return [int(label) for label in np.flatnonzero(pixels >= MIN_PIXELS) if label != ignore_index]


def _surroundings(region: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the box around a region and what its distances and their gradient look at: the rest is far."""
    (box,) = ndimage.find_objects(region.astype(np.uint8))
    return tuple(slice(max(span.start - RADIUS, 0), span.stop + RADIUS) for span in box)


def _gradient_kernels() -> NDArray[np.float32]:
    """Return Sobel-like kernels (2, 5, 5) of the gradient in rows and in columns: offset / squared length."""
    offsets = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1].astype(np.float32)
    squares = (offsets**2).sum(axis=0)
    squares[RADIUS, RADIUS] = 1
    return np.asarray(offsets / squares, np.float32)
