"""Pixelate: means over boxes, repeated, in the fixed-point arithmetic of Pillow's BOX and NEAREST."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.compiling import kernel
from corruptions.random import Stream
from corruptions.registry import Parameters

__all__ = ["pixelate"]

_ONE = 1 << 22  # Pillow's fixed-point unit for 8-bit images


class _Axis(NamedTuple):
    """How one side is reduced and enlarged again.

    Box `i` starts at pixel `starts[i]`, whose weight is `weights[0, i]`; the later ones follow, 0 where
    the box has ended. Output pixel `j` shows box `boxes[j]`.
    """

    starts: NDArray[np.uint32]
    weights: NDArray[np.int32]
    boxes: NDArray[np.uint32]


def pixelate(image: NDArray[np.uint8], parameters: Parameters, _: Stream) -> NDArray[np.uint8]:
    """Reduce the image to `size` of its sides by means over boxes and repeat them up to its size again.

    Columns are reduced before rows and rounded in between, as Pillow does for images up to twice as high as
    they are wide (for higher ones some of its versions start with the rows, which changes some by one).
    """
    height, width, channels = image.shape
    rows, columns = _axis(height, parameters["size"]), _axis(width, parameters["size"])
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
    pixels = starts + np.arange((stops - starts).max())[:, np.newaxis]
    distance = (pixels - centres + 0.5) / scale
    inside = (pixels < stops) & (distance > -0.5) & (distance <= 0.5)
    weights = np.floor(0.5 + inside / inside.sum(axis=0) * _ONE).astype(np.int32)
    # the mapping back is added up step by step, as Pillow does: its last bits decide
    step = count / side
    steps = np.full(side, step)
    steps[0] = step * 0.5
    boxes = np.cumsum(steps).astype(np.uint32)
    return _Axis(starts.astype(np.uint32), weights, boxes)


@kernel
def _reduce_columns(
    rows: NDArray[np.uint8], starts: NDArray[np.uint32], weights: NDArray[np.int32], narrow: NDArray[np.uint8]
) -> None:
    for y in range(rows.shape[0]):
        row, out = rows[y], narrow[y]
        for i in range(starts.size):
            red = green = blue = np.int32(_ONE // 2)
            first = np.uint32(3) * starts[i]
            for j in range(weights.shape[0]):
                weight = weights[j, i]
                if weight != 0:
                    at = first + np.uint32(3 * j)
                    red += np.int32(row[at]) * weight
                    green += np.int32(row[at + np.uint32(1)]) * weight
                    blue += np.int32(row[at + np.uint32(2)]) * weight
            out[3 * i] = _level(red)
            out[3 * i + 1] = _level(green)
            out[3 * i + 2] = _level(blue)


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
                    sums[i] += np.int32(row[i]) * weight
        out = small[y]
        for i in range(sums.size):
            out[i] = _level(sums[i])


@kernel
def _level(fixed_point: np.int32) -> np.uint8:
    return np.uint8(min(fixed_point >> np.int32(22), np.int32(255)))


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
            out[:] = enlarged[y - 1]
            continue
        row = small[row_boxes[y]]
        for i in range(column_boxes.size):
            at = np.uint32(3) * column_boxes[i]
            out[3 * i] = row[at]
            out[3 * i + 1] = row[at + np.uint32(1)]
            out[3 * i + 2] = row[at + np.uint32(2)]
