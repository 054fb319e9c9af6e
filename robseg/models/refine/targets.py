"""The targets of SegFix's network, made from labels: where boundaries are, and where the inside lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from robseg.models.refine.directions import direction_of

__all__ = ["OffsetTargets", "offset_targets"]

MAX_DISTANCE = 5  # pixels at most from a boundary
MIN_PIXELS = 100  # a smaller class has no inside
DEEPEST = 250  # pixels; a distance must fit into a byte
ANGLE_STEP = 2  # degrees; an angle must fit into a byte
RADIUS = 2


class OffsetTargets(NamedTuple):
    """The targets of one image, each uint8 (H, W), with `ignore_index` where there is nothing to learn.

    `mask` is 1 near a boundary and 0 inside. `directions` are indices into `DIRECTIONS`, for every pixel that
    has a direction; the training uses those near boundaries.
    """

    mask: NDArray[np.uint8]
    directions: NDArray[np.uint8]


def offset_targets(labels: NDArray[np.uint8], ignore_index: int = 255) -> OffsetTargets:
    """Return the targets for an image's labels, uint8 (H, W).

    In a class of 100 pixels or more, pixels up to 5 from its edge are the boundary, and the gradient of the
    distance to the edge points inside. Distances are rounded down and angles are even, as in the authors'
    files. The border of the image is no edge. Pixels of smaller classes are boundary without a direction.

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
    """Return the distance of each pixel to the edge of its region (H, W), and its gradient (2, H, W)."""
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
    """Return the box that contains a region and all pixels that its distances and gradient depend on."""
    (box,) = ndimage.find_objects(region.astype(np.uint8))
    return tuple(slice(max(span.start - RADIUS, 0), span.stop + RADIUS) for span in box)


def _gradient_kernels() -> NDArray[np.float32]:
    """Return Sobel-like kernels (2, 5, 5) for the gradient in rows and columns: offset / squared length."""
    offsets = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1].astype(np.float32)
    squares = (offsets**2).sum(axis=0)
    squares[RADIUS, RADIUS] = 1
    return np.asarray(offsets / squares, np.float32)
