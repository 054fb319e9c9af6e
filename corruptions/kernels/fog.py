"""Fog: a random fractal height map, bright where the fog is thick, mixed into the image.

The map is made by the diamond-square algorithm (Fournier, Fussell & Carpenter, CACM 1982) on a torus. Every
level halves the spacing of the points; every new point is the mean of four neighbours plus noise.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.random import Stream, fill_uniforms

__all__ = ["fog"]

_AMPLITUDE = 100.0**2  # of the first level's noise; the next level's is smaller by the decay, squared
_BAND = 1 << 16  # points of the last level but one that are refined at a time; they fit into the cache
_FEW = 16  # rows of that level whose range is bounded together


def fog(image: NDArray[np.uint8], *, strength: float, decay: float, stream: Stream) -> NDArray[np.uint8]:
    """Cover an image with random fog; the brightest level of the image stays the brightest.

    The result is (image + strength * map) * m / (m + strength), truncated, with map and image from 0 to 1
    and m the largest level of the image. Each level of the map has less noise than the one before, by a
    factor of `decay` squared.
    """
    height, width, _ = image.shape
    heights, lowest, highest = _height_map(_side(height, width), height, decay, stream)
    brightest = float(image.max())
    weight = brightest / (brightest + 255 * strength)
    gain = 255 * strength * weight / (highest - lowest)
    foggy = np.empty_like(image)
    _mix(
        image.reshape(height, -1),
        np.float32(weight),
        heights,
        np.float32(gain),
        np.float32(gain * lowest),
        foggy.reshape(height, -1),
    )
    return foggy


def _side(height: int, width: int) -> int:
    """Return the side of the map: the smallest power of two that covers the image."""
    return 1 << (max(height, width) - 1).bit_length()


def _height_map(
    side: int, height: int, decay: float, stream: Stream
) -> tuple[NDArray[np.float32], float, float]:
    """Return at least the first `height` rows of a (side, side) map, and the range of all its rows.

    The draws are, for n = 1, 2, 4, ..., the (3, n, n) of the points that refine a map of n x n squares:
    inside each square, above it and left of it.
    """
    heights = np.zeros((2, 2), np.float32)
    draws = np.empty(max(side * side // 4 - 1, 0), np.float32)
    fill_uniforms(draws, stream, 0)
    n, amplitude = 1, _AMPLITUDE
    while 2 * n < side:
        noise = draws[n * n - 1 : 4 * n * n - 1].reshape(3, n, n)
        finer = np.empty((2 * n + 1, 2 * n + 1), np.float32)
        _refine(heights, 0, noise[0, n - 1], noise, np.float32(amplitude), finer)
        finer[2 * n] = finer[0]
        heights, n, amplitude = finer, 2 * n, amplitude / decay**2
    return _last_level(heights, height, np.float32(amplitude), stream)


def _last_level(
    heights: NDArray[np.float32], height: int, amplitude: np.float32, stream: Stream
) -> tuple[NDArray[np.float32], float, float]:
    """Refine the visible rows, a band at a time, and those hidden rows that may widen the range."""
    n = heights.shape[0] - 1
    seen = min((height + 1) // 2, n)
    finer = np.empty((2 * seen, 2 * n + 1), np.float32)
    band = max(_BAND // n, 1)
    draws, above = np.empty(3 * max(band, _FEW) * n, np.float32), np.empty(n, np.float32)

    def refine(first: int, last: int, to: NDArray[np.float32]) -> None:
        fill_uniforms(above, stream, n * n - 1 + (first - 1) % n * n)
        noise = draws[: 3 * (last - first) * n].reshape(3, last - first, n)
        for field in range(3):
            fill_uniforms(noise[field], stream, (field + 1) * n * n - 1 + first * n)
        _refine(heights, first, above, noise, amplitude, to)

    for first in range(0, seen, band):
        last = min(first + band, seen)
        refine(first, last, finer[2 * first : 2 * last])
    lowest, highest = _range(finer)
    lowest, highest = min(lowest, heights.min()), max(highest, heights.max())
    hidden = np.empty((2 * _FEW, 2 * n + 1), np.float32)
    lows, highs = _ranges(heights, seen, _FEW)
    # each new height is a mean plus noise, twice; rounding is monotone, so it cannot pass these bounds
    doubtful = (lows - amplitude - amplitude < lowest) | (highs + amplitude + amplitude > highest)
    for part in np.flatnonzero(doubtful):
        first = seen + int(part) * _FEW
        last = min(first + _FEW, n)
        refine(first, last, hidden)
        low, high = _range(hidden[: 2 * (last - first)])
        lowest, highest = min(lowest, low), max(highest, high)
    return finer, float(lowest), float(highest)


@kernel
def _refine(
    heights: NDArray[np.float32],
    first: int,
    above: NDArray[np.float32],
    noise: NDArray[np.float32],
    amplitude: np.float32,
    finer: NDArray[np.float32],
) -> None:
    """Fill rows of a map of twice the side, starting at row `first` of `heights`.

    `noise` is (3, rows, side), from 0 to 1, which stands for -amplitude to amplitude; `above` is noise[0] of
    the row before.
    """
    side = heights.shape[0] - 1
    quarter, gain = np.float32(0.25), np.float32(2) * amplitude
    # the middles of the squares of a row and of the one before
    middle, before = np.empty(side + 1, np.float32), np.empty(side + 1, np.float32)
    last = first - 1 if first > 0 else side - 1
    _fill_middles(heights[last], heights[last + 1], above, amplitude, before)
    for y in range(noise.shape[1]):
        top, bottom = heights[first + y], heights[first + y + 1]
        _fill_middles(top, bottom, noise[0, y], amplitude, middle)
        upper, left = noise[1, y], noise[2, y]
        even, odd = finer[2 * y], finer[2 * y + 1]
        for x in range(side):
            even[2 * x] = top[x]
            diamond = (middle[x + 1] + before[x + 1]) + (top[x] + top[x + 1])
            even[2 * x + 1] = quarter * diamond + (gain * upper[x] - amplitude)
        for x in range(side):
            diamond = (middle[x + 1] + middle[x]) + (top[x] + bottom[x])
            odd[2 * x] = quarter * diamond + (gain * left[x] - amplitude)
            odd[2 * x + 1] = middle[x + 1]
        even[2 * side] = even[0]
        odd[2 * side] = odd[0]
        middle, before = before, middle


@kernel
def _fill_middles(
    top: NDArray[np.float32],
    bottom: NDArray[np.float32],
    draw: NDArray[np.float32],
    amplitude: np.float32,
    middle: NDArray[np.float32],
) -> None:
    """Fill the middles of a row of squares; the first repeats the last, because the map is a torus."""
    side = draw.size
    quarter, gain = np.float32(0.25), np.float32(2) * amplitude
    for x in range(side):
        corners = (top[x] + bottom[x]) + (top[x + 1] + bottom[x + 1])
        middle[x + 1] = quarter * corners + (gain * draw[x] - amplitude)
    middle[0] = middle[side]


@kernel
def _range(heights: NDArray[np.float32]) -> tuple[np.float32, np.float32]:
    least, most = heights[0].copy(), heights[0].copy()
    for y in range(1, heights.shape[0]):
        row = heights[y]
        for x in range(row.size):
            least[x] = min(least[x], row[x])
            most[x] = max(most[x], row[x])
    return least.min(), most.max()


@kernel
def _ranges(
    heights: NDArray[np.float32], first: int, count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the ranges of the corners that every `count` rows of squares rest on, from row `first` on."""
    side = heights.shape[0] - 1
    parts = (side - first + count - 1) // count
    lows, highs = np.empty(parts, np.float32), np.empty(parts, np.float32)
    for part in range(parts):
        start = first + part * count
        lows[part], highs[part] = _range(heights[max(start - 1, 0) : min(start + count, side) + 1])
    return lows, highs


@kernel
def _mix(
    image: NDArray[np.uint8],
    weight: np.float32,
    heights: NDArray[np.float32],
    gain: np.float32,
    lowest: np.float32,
    foggy: NDArray[np.uint8],
) -> None:
    for y in range(image.shape[0]):
        row, out, height = image[y], foggy[y], heights[y]
        for x in range(row.size // 3):
            haze = gain * height[x] - lowest
            out[3 * x] = np.uint8(np.int32(weight * np.float32(row[3 * x]) + haze))
            out[3 * x + 1] = np.uint8(np.int32(weight * np.float32(row[3 * x + 1]) + haze))
            out[3 * x + 2] = np.uint8(np.int32(weight * np.float32(row[3 * x + 2]) + haze))
