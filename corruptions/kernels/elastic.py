"""Elastic transform: every pixel is taken from nearby, by an offset that changes smoothly over the image.

Simard, Steinkraus & Platt, ICDAR 2003.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.gaussian import blur_plane, gaussian_weights
from corruptions.kernels.random import Stream, uniforms
from corruptions.kernels.rows import EPSILON, packed

__all__ = ["elastic_displacement", "elastic_transform"]


def elastic_transform(
    image: NDArray[np.uint8], *, gain: float, sigma: float, amplitude: float, stream: Stream
) -> NDArray[np.uint8]:
    """Move the pixels of an image along a random field; the border is mirrored.

    The field is noise within `amplitude` * `gain` heights, blurred by `sigma` heights down and `sigma` widths
    across.
    """
    height, width, _ = image.shape
    moves = _moves(height, width, gain=gain, sigma=sigma, amplitude=amplitude, stream=stream)
    margin = int(np.ceil(max(moves.max(), -moves.min()))) + 1
    pixels = np.pad(packed(image), margin, mode="symmetric")
    moved = np.empty_like(image)
    _interpolate(pixels, margin, moves[0], moves[1], moved.reshape(len(image), -1))
    return moved


def elastic_displacement(
    height: int, width: int, *, gain: float, sigma: float, amplitude: float, stream: Stream
) -> NDArray[np.float64]:
    """Return the (2, H, W) rows and columns, in pixels, that the pixels of `elastic_transform` come from."""
    moves = _moves(height, width, gain=gain, sigma=sigma, amplitude=amplitude, stream=stream)
    return np.mgrid[:height, :width] + moves[::-1]


def _moves(
    height: int, width: int, *, gain: float, sigma: float, amplitude: float, stream: Stream
) -> NDArray[np.float32]:
    """Return the offset of each pixel in columns and rows, (2, H, W)."""
    largest = height * amplitude * gain  # along both axes
    down = gaussian_weights(height * sigma, truncate=3) * np.float32(2 * largest)
    across = gaussian_weights(width * sigma, truncate=3)
    draws = (uniforms(stream, (height, width), lane) for lane in (0, 1))
    return np.stack([blur_plane(draw - np.float32(0.5), down, across, True) for draw in draws])


@kernel
def _interpolate(
    pixels: NDArray[np.uint32],
    margin: int,
    columns: NDArray[np.float32],
    rows: NDArray[np.float32],
    moved: NDArray[np.uint8],
) -> None:
    """Take every pixel, by linear interpolation, from `columns` and `rows` away."""
    height, width = columns.shape
    stride = pixels.shape[1]
    corner = pixels.reshape(-1)
    right, below, opposite = corner[1:], corner[stride:], corner[stride + 1 :]
    places = np.empty(width, np.uint32)
    # separate arrays: the compiler cannot see that parts of one array do not overlap
    u, v = np.empty(width, np.float32), np.empty(width, np.float32)
    a, b = np.empty(width, np.uint32), np.empty(width, np.uint32)
    c, d = np.empty(width, np.uint32), np.empty(width, np.uint32)
    for y in range(height):
        _places(columns[y], rows[y], (y + margin) * stride + margin, stride, places, u, v)
        _take(corner, places, a)
        _take(right, places, b)
        _take(below, places, c)
        _take(opposite, places, d)
        _mix(a, b, c, d, u, v, moved[y])


@kernel
def _places(
    columns: NDArray[np.float32],
    rows: NDArray[np.float32],
    start: int,
    stride: int,
    places: NDArray[np.uint32],
    u: NDArray[np.float32],
    v: NDArray[np.float32],
) -> None:
    """Split the offsets of a row that begins at `start` into the place of a pixel and a fraction."""
    first, step = np.int32(start), np.int32(stride)
    for x in range(places.size):
        whole_columns, whole_rows = np.floor(columns[x]), np.floor(rows[x])
        place = np.int32(np.int32(whole_rows) * step) + np.int32(whole_columns)
        places[x] = np.uint32(first + np.int32(x) + place)
        u[x], v[x] = columns[x] - whole_columns, rows[x] - whole_rows


@kernel
def _take(pixels: NDArray[np.uint32], places: NDArray[np.uint32], taken: NDArray[np.uint32]) -> None:
    for x in range(places.size):
        taken[x] = pixels[places[x]]


@kernel
def _mix(
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    c: NDArray[np.uint32],
    d: NDArray[np.uint32],
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    moved: NDArray[np.uint8],
) -> None:
    for x in range(u.size):
        moved[3 * x] = _mixed(a[x], b[x], c[x], d[x], np.uint32(0), u[x], v[x])
        moved[3 * x + 1] = _mixed(a[x], b[x], c[x], d[x], np.uint32(8), u[x], v[x])
        moved[3 * x + 2] = _mixed(a[x], b[x], c[x], d[x], np.uint32(16), u[x], v[x])


@kernel
def _mixed(
    a: np.uint32, b: np.uint32, c: np.uint32, d: np.uint32, shift: np.uint32, u: np.float32, v: np.float32
) -> np.uint8:
    """Mix one byte of the four pixels and truncate."""
    above = _byte(a, shift) + u * (_byte(b, shift) - _byte(a, shift))
    below = _byte(c, shift) + u * (_byte(d, shift) - _byte(c, shift))
    return np.uint8(np.int32(above + v * (below - above) + EPSILON))


@kernel
def _byte(word: np.uint32, shift: np.uint32) -> np.float32:
    return np.float32(np.int32((word >> shift) & np.uint32(255)))
