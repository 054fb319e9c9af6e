"""Motion blur: the camera moves in a straight line while the shutter is open."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.random import Stream, uniform
from corruptions.kernels.rows import Rows, add_four, add_product, inside, truncate

__all__ = ["MotionPath", "blur_plane", "draw_angle", "motion_blur", "motion_path"]


def motion_blur(image: NDArray[np.uint8], *, radius: int, sigma: float, stream: Stream) -> NDArray[np.uint8]:
    """Blur an image along a `motion_path` of random direction."""
    height, width, channels = image.shape
    path = motion_path(radius, sigma, draw_angle(stream), height, width)
    margin = int(np.abs(path.columns).max())
    rows = _widened(image.reshape(height, -1), margin, channels)
    return _blur_to_bytes(rows, path, margin, channels).reshape(image.shape)


def draw_angle(stream: Stream) -> float:
    """Draw the direction of the motion in degrees, from -45 to 45."""
    return uniform(stream, -45, 45)


class MotionPath(NamedTuple):
    """The pixels that a moving point crosses, as offsets in rows and columns, and their weights."""

    weights: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def motion_path(radius: int, sigma: float, angle: float, height: int, width: int) -> MotionPath:
    """Return the path of a motion blur at `angle` degrees, with one-sided Gaussian weights.

    The path ends where it would leave an image of height x width. Weights too small to change a pixel are
    left out.
    """
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    rows = -np.ceil(steps * math.sin(math.radians(angle)) - 0.5).astype(np.int64)
    columns = -np.ceil(steps * math.cos(math.radians(angle)) - 0.5).astype(np.int64)
    leaves = (np.abs(rows) >= height) | (np.abs(columns) >= width)
    count = int(np.argmax(leaves)) if leaves.any() else steps.size
    count = min(count, int((weights > 2e-6).sum()))
    return MotionPath(weights[:count].astype(np.float32), rows[:count], columns[:count])


def blur_plane(plane: NDArray[np.float32], path: MotionPath) -> NDArray[np.float32]:
    """Blur a (H, W) plane along a path; the border is extended by its nearest pixel."""
    margin = int(np.abs(path.columns).max())
    return _blur(_widened(plane, margin, 1), path, margin)


def _widened(rows: Rows, margin: int, channels: int) -> Rows:
    pixels = rows.reshape(rows.shape[0], -1, channels)
    return np.pad(pixels, ((0, 0), (margin, margin), (0, 0)), mode="edge").reshape(rows.shape[0], -1)


@kernel
def _blur(plane: Rows, path: MotionPath, margin: int) -> NDArray[np.float32]:
    blurred = np.empty((plane.shape[0], plane.shape[1] - 2 * margin), np.float32)
    for y in range(plane.shape[0]):
        _motion_row(plane, y, path, margin, 1, blurred[y])
    return blurred


@kernel
def _blur_to_bytes(rows: Rows, path: MotionPath, margin: int, channels: int) -> NDArray[np.uint8]:
    blurred = np.empty((rows.shape[0], rows.shape[1] - 2 * margin * channels), np.uint8)
    row = np.empty(blurred.shape[1], np.float32)
    for y in range(rows.shape[0]):
        _motion_row(rows, y, path, margin, channels, row)
        truncate(row, blurred[y])
    return blurred


@kernel
def _motion_row(
    rows: Rows, y: int, path: MotionPath, margin: int, channels: int, blurred: NDArray[np.float32]
) -> None:
    steps = path.weights.size
    blurred[:] = np.float32(0)
    i = 0
    while i + 4 <= steps:
        add_four(
            blurred,
            _shifted(rows, y, path, margin, channels, i),
            _shifted(rows, y, path, margin, channels, i + 1),
            _shifted(rows, y, path, margin, channels, i + 2),
            _shifted(rows, y, path, margin, channels, i + 3),
            path.weights[i : i + 4],
        )
        i += 4
    while i < steps:
        add_product(blurred, _shifted(rows, y, path, margin, channels, i), path.weights[i])
        i += 1


@kernel
def _shifted(rows: Rows, y: int, path: MotionPath, margin: int, channels: int, step: int) -> Rows:
    """Return the pixels that lie `step` steps behind those of row `y`."""
    behind = inside(y - path.rows[step], rows.shape[0], False)
    row: Rows = rows[behind]
    return row[(margin - path.columns[step]) * channels :]
