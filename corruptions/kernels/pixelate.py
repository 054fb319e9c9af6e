"""Pixelate: means over boxes, repeated, in the fixed-point arithmetic of Pillow's BOX and NEAREST."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = ["pixelate"]

_ONE = 1 << 22  # Pillow's fixed-point unit for 8-bit images


class _Axis(NamedTuple):
    """How one side is reduced and enlarged again.

    Box `i` is the sum of the pixels that start at `starts[i]`, with the weights `weights[:, i]`. Every box
    has equally many weights; the weight of a pixel outside the box is 0. Output pixel `j` shows box
    `boxes[j]`.
    """

    starts: NDArray[np.uint32]
    weights: NDArray[np.int32]
    boxes: NDArray[np.uint32]


def pixelate(image: NDArray[np.uint8], *, size: float) -> NDArray[np.uint8]:
    """Reduce the image to `size` times its sides by means over boxes, and repeat these to the former size.

    Columns are reduced before rows, with rounding in between, as Pillow does for images at most twice as high
    as wide. For higher images some versions of Pillow start with the rows, which changes some pixels by one.
    """
    height, width, channels = image.shape
    rows, columns = _axis(height, size), _axis(width, size)
    narrow = np.empty((height, len(columns.starts) * channels), np.uint8)
    flat = image.reshape(height, width * channels)
    _reduce_columns(flat, columns.starts, columns.weights, narrow)
    small = np.empty((len(rows.starts), narrow.shape[1]), np.uint8)
    _reduce_rows(narrow, rows.starts, rows.weights, small)
    enlarged = np.empty_like(flat)
    _enlarge(small, rows.boxes, columns.boxes, enlarged)
    return enlarged.reshape(image.shape)


@lru_cache(maxsize=64)
def _axis(side: int, size: float) -> _Axis:
    count = int(side * size)
    scale = side / count
    centres = (np.arange(count) + 0.5) * scale
    starts = np.maximum(np.floor(centres - scale / 2 + 0.5), 0).astype(np.int64)
    stops = np.minimum(np.floor(centres + scale / 2 + 0.5), side).astype(np.int64)
    most = (stops - starts).max()
    first = np.minimum(starts, side - most)  # the weights of a shorter box may reach past the end
    pixels = first + np.arange(most)[:, np.newaxis]
    distance = (pixels - centres + 0.5) / scale
    inside = (pixels >= starts) & (pixels < stops) & (distance > -0.5) & (distance <= 0.5)
    weights = np.floor(0.5 + inside / inside.sum(axis=0) * _ONE).astype(np.int32)
    # the way back is added up step by step, as in Pillow: the last bits decide
    step = count / side
    steps = np.full(side, step)
    steps[0] = step * 0.5
    boxes = np.cumsum(steps).astype(np.uint32)
    return _Axis(first.astype(np.uint32), weights, boxes)


@kernel
def _reduce_columns(
    rows: NDArray[np.uint8], starts: NDArray[np.uint32], weights: NDArray[np.int32], narrow: NDArray[np.uint8]
) -> None:
    firsts = np.uint32(3) * starts
    sums = np.empty(narrow.shape[1], np.int32)
    for y in range(rows.shape[0]):
        sums[:] = _ONE // 2
        for j in range(weights.shape[0]):
            _add_pixels(rows[y, 3 * j :], firsts, weights[j], sums)
        _to_levels(sums, narrow[y])


@kernel
def _add_pixels(
    row: NDArray[np.uint8], firsts: NDArray[np.uint32], weights: NDArray[np.int32], sums: NDArray[np.int32]
) -> None:
    """Add one pixel to the sums of every box, times its weight in that box."""
    for i in range(weights.size):
        at, weight = np.uint32(firsts[i]), weights[i]
        sums[3 * i] += np.int32(row[at] * weight)
        sums[3 * i + 1] += np.int32(row[at + np.uint32(1)] * weight)
        sums[3 * i + 2] += np.int32(row[at + np.uint32(2)] * weight)


@kernel
def _reduce_rows(
    rows: NDArray[np.uint8], starts: NDArray[np.uint32], weights: NDArray[np.int32], small: NDArray[np.uint8]
) -> None:
    sums = np.empty(rows.shape[1], np.int32)
    for y in range(starts.size):
        sums[:] = _ONE // 2
        for j in range(weights.shape[0]):
            weight = weights[j, y]
            if weight != 0:
                row = rows[starts[y] + np.uint32(j)]
                for i in range(sums.size):
                    sums[i] += np.int32(row[i] * weight)
        _to_levels(sums, small[y])


@kernel
def _to_levels(sums: NDArray[np.int32], levels: NDArray[np.uint8]) -> None:
    for i in range(levels.size):
        levels[i] = np.uint8(min(sums[i] >> np.int32(22), np.int32(255)))


@kernel
def _enlarge(
    small: NDArray[np.uint8],
    row_boxes: NDArray[np.uint32],
    column_boxes: NDArray[np.uint32],
    enlarged: NDArray[np.uint8],
) -> None:
    for y in range(row_boxes.size):
        out = enlarged[y]
        if y > 0 and row_boxes[y] == row_boxes[y - 1]:
            _copy(enlarged[y - 1], out)
            continue
        row = small[row_boxes[y]]
        for i in range(column_boxes.size):
            at = np.uint32(3) * column_boxes[i]
            out[3 * i] = row[at]
            out[3 * i + 1] = row[at + np.uint32(1)]
            out[3 * i + 2] = row[at + np.uint32(2)]


@kernel
def _copy(row: NDArray[np.uint8], to: NDArray[np.uint8]) -> None:
    for i in range(to.size):
        to[i] = row[i]
