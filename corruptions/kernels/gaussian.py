"""Numerics that several corruptions share: Gaussian blur, motion blur and zoom, in float32.

Images are passed as their rows, (H, W * C), with the C samples of a pixel side by side, so that one loop
serves every number of channels. Sums are of at most a few hundred products below 256: their error is below
1e-3, which is added before results are cut off to integers, so that sums which should be integers stay so.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.rows import (
    EPSILON,
    Rows,
    add_four,
    add_four_pairs,
    add_pair,
    add_product,
    mix,
    set_product,
    take,
    truncate,
)

__all__ = [
    "EPSILON",
    "MotionPath",
    "ZoomAxis",
    "add_pair",
    "gaussian_blur",
    "gaussian_blur_to_bytes",
    "gaussian_weights",
    "motion_blur",
    "motion_blur_to_bytes",
    "motion_path",
    "set_product",
    "truncate",
    "zoom",
    "zoom_axis",
]


def gaussian_weights(sigma: float, truncate: float = 4.0) -> NDArray[np.float32]:
    """Return the weights of a Gaussian at the distances 0, 1, ... up to `truncate` sigma, as scipy's.

    Examples
    --------
    >>> [round(float(weight), 3) for weight in gaussian_weights(0.5)]
    [0.787, 0.106, 0.0]
    """
    radius = int(truncate * float(sigma) + 0.5)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(radius + 1) ** 2)
    half: NDArray[np.float32] = (weights / (2 * weights.sum() - weights[0])).astype(np.float32)
    return half


@kernel
def gaussian_blur(
    rows: Rows,
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    channels: int,
    mirrored: bool,
) -> NDArray[np.float32]:
    """Return (H, W * C) rows blurred with symmetric weights (of `gaussian_weights`) along both axes.

    Beyond the border stands the nearest pixel or, if `mirrored`, the image's mirror image (edge repeated).
    """
    blurred = np.empty(rows.shape, np.float32)
    between = np.empty(rows.shape[1] + 2 * (across.size - 1) * channels, np.float32)
    for y in range(rows.shape[0]):
        _blur_row(rows, y, down, across, channels, mirrored, between, blurred[y])
    return blurred


@kernel
def gaussian_blur_to_bytes(
    rows: Rows,
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    channels: int,
    mirrored: bool,
) -> NDArray[np.uint8]:
    """Return what `gaussian_blur` does, cut off to uint8."""
    blurred = np.empty(rows.shape, np.uint8)
    row = np.empty(rows.shape[1], np.float32)
    between = np.empty(rows.shape[1] + 2 * (across.size - 1) * channels, np.float32)
    for y in range(rows.shape[0]):
        _blur_row(rows, y, down, across, channels, mirrored, between, row)
        truncate(row, blurred[y])
    return blurred


@kernel
def _blur_row(
    rows: Rows,
    y: int,
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    channels: int,
    mirrored: bool,
    between: NDArray[np.float32],
    blurred: NDArray[np.float32],
) -> None:
    """Blur row `y`: down the columns into the middle of `between`, then along it."""
    height, size = rows.shape
    margin = (across.size - 1) * channels
    middle = between[margin : margin + size]
    set_product(middle, rows[y], down[0])
    j = down.size - 1
    while j >= 4:
        add_four_pairs(
            middle,
            rows[inside(y - j, height, mirrored)],
            rows[inside(y + j, height, mirrored)],
            rows[inside(y - j + 1, height, mirrored)],
            rows[inside(y + j - 1, height, mirrored)],
            rows[inside(y - j + 2, height, mirrored)],
            rows[inside(y + j - 2, height, mirrored)],
            rows[inside(y - j + 3, height, mirrored)],
            rows[inside(y + j - 3, height, mirrored)],
            down[j - 3 : j + 1],
        )
        j -= 4
    while j >= 1:
        before, behind = inside(y - j, height, mirrored), inside(y + j, height, mirrored)
        add_pair(middle, rows[before], rows[behind], down[j])
        j -= 1
    _extend(between, across.size - 1, channels, mirrored)
    set_product(blurred, middle, across[0])
    j = across.size - 1
    while j >= 4:
        left, right = between[margin - j * channels :], between[margin + (j - 3) * channels :]
        add_four_pairs(
            blurred,
            left,
            right[3 * channels :],
            left[channels:],
            right[2 * channels :],
            left[2 * channels :],
            right[channels:],
            left[3 * channels :],
            right,
            across[j - 3 : j + 1],
        )
        j -= 4
    while j >= 1:
        add_pair(blurred, between[margin - j * channels :], between[margin + j * channels :], across[j])
        j -= 1


@kernel
def inside(i: int, size: int, mirrored: bool) -> int:
    """Return the index of the pixel that stands for pixel `i` of a line of `size` pixels."""
    if not mirrored:
        return min(max(i, 0), size - 1)
    i %= 2 * size
    return min(i, 2 * size - 1 - i)


@kernel
def _extend(line: NDArray[np.float32], margin: int, channels: int, mirrored: bool) -> None:
    """Fill the `margin` pixels at both ends of a line from what is between them."""
    width = line.size // channels - 2 * margin
    for i in range(margin):
        left, right = margin - 1 - i, margin + width + i
        for c in range(channels):
            line[left * channels + c] = line[(margin + inside(-1 - i, width, mirrored)) * channels + c]
            line[right * channels + c] = line[(margin + inside(width + i, width, mirrored)) * channels + c]


class MotionPath(NamedTuple):
    """The pixels that a moving point crosses: light comes from `rows`, `columns` behind, with `weights`."""

    weights: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def motion_path(radius: int, sigma: float, angle: float, height: int, width: int) -> MotionPath:
    """Return the path of a motion blur at `angle` degrees, with one-sided Gaussian weights.

    It ends where it would leave an image of height x width; weights that cannot change a pixel are left out.
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


def motion_blur(rows: Rows, path: MotionPath, channels: int = 1) -> NDArray[np.float32]:
    """Return (H, W * C) rows blurred along a path; beyond the border stands the nearest pixel."""
    margin = int(np.abs(path.columns).max())
    return _motion_blur(_widened(rows, margin, channels), path, margin, channels)


def motion_blur_to_bytes(rows: Rows, path: MotionPath, channels: int = 1) -> NDArray[np.uint8]:
    """Return what `motion_blur` does, cut off to uint8."""
    margin = int(np.abs(path.columns).max())
    return _motion_blur_to_bytes(_widened(rows, margin, channels), path, margin, channels)


def _widened(rows: Rows, margin: int, channels: int) -> Rows:
    pixels = rows.reshape(rows.shape[0], -1, channels)
    return np.pad(pixels, ((0, 0), (margin, margin), (0, 0)), mode="edge").reshape(rows.shape[0], -1)


@kernel
def _motion_blur(rows: Rows, path: MotionPath, margin: int, channels: int) -> NDArray[np.float32]:
    blurred = np.empty((rows.shape[0], rows.shape[1] - 2 * margin * channels), np.float32)
    for y in range(rows.shape[0]):
        _motion_row(rows, y, path, margin, channels, blurred[y])
    return blurred


@kernel
def _motion_blur_to_bytes(rows: Rows, path: MotionPath, margin: int, channels: int) -> NDArray[np.uint8]:
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
    """Return the row of pixels that lie `step` steps behind those of row `y`."""
    behind = inside(y - path.rows[step], rows.shape[0], False)
    row: Rows = rows[behind]
    return row[(margin - path.columns[step]) * channels :]


class ZoomAxis(NamedTuple):
    """Where the samples of a zoomed line lie: `fraction` of the way from `first` to `first` + 1."""

    first: NDArray[np.int64]
    fraction: NDArray[np.float32]


def zoom_axis(size: int, factor: float) -> ZoomAxis:
    """Return where the samples lie when the middle of a line is zoomed by a factor >= 1.

    The ceil(size / factor) samples in the middle become `factor` times as many, from corner to corner.

    Examples
    --------
    >>> axis = zoom_axis(4, 2)
    >>> (axis.first + axis.fraction).round(2).tolist()
    [1.0, 1.33, 1.67, 2.0]
    """
    crop = math.ceil(size / factor)
    zoomed = round(crop * factor)
    position = np.arange(zoomed) * ((crop - 1) / max(zoomed - 1, 1))
    first = np.minimum(position.astype(np.int64), max(crop - 2, 0))
    return ZoomAxis((size - crop) // 2 + first, (position - first).astype(np.float32))


@kernel
def zoom(plane: NDArray[np.float32], down: ZoomAxis, across: ZoomAxis) -> NDArray[np.float32]:
    """Return a (H, W) plane interpolated linearly at the rows and columns of two axes of `zoom_axis`."""
    height, width = down.first.size, across.first.size
    zoomed = np.empty((height, width), np.float32)
    first = across.first.astype(np.uint32)  # unsigned: see `kernel`
    line = np.empty(plane.shape[1], np.float32)
    for y in range(height):
        above = down.first[y]
        below = min(above + 1, plane.shape[0] - 1)
        mix(plane[above], plane[below], down.fraction[y], line)
        take(line, line[1:], first, across.fraction, zoomed[y])
    return zoomed
