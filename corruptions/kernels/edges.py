"""Edges and the distance to the nearest edge, as OpenCV computes them, in integers.

Canny, IEEE TPAMI 1986; Borgefors, CVGIP 1986.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = ["UNIT", "canny", "distance"]

i32 = np.int32  # numba widens sums and products to 64 bits; casting back keeps them in narrow lanes

UNIT = 10_000
"""One pixel's width in the numbers of `distance`."""

_DIAGONAL, _KNIGHT = 14_000, 21_969  # the lengths of steps to (1, 1) and to (1, 2)
_TANGENT = 13573  # of 22.5 degrees, times 2**15
_WEAK, _STRONG = np.uint8(1), np.uint8(2)


def canny(image: NDArray[np.uint8], low: int, high: int) -> NDArray[np.bool_]:
    """Return where a (H, W) image has edges steeper than `high`, or than `low` if connected to such edges."""
    across, down = _sobel(np.pad(image, 1, mode="edge"))
    ridges = _ridges(across, down, np.int32(low), np.int32(high))
    _grow(ridges)
    edges: NDArray[np.bool_] = ridges[1:-1, 1:-1] == _STRONG
    return edges


def distance(edges: NDArray[np.bool_], largest: int) -> NDArray[np.int32]:
    """Return each pixel's distance to the nearest edge in 1 / UNIT pixels, at most `largest` < 32 pixels.

    Paths consist of steps to the eight neighbours and of knight's moves; step lengths are a little below the
    Euclidean ones.
    """
    height, width = edges.shape
    far = largest * UNIT
    # two rows and columns of the largest distance on every side
    padded = np.full((height + 4, width + 4), far, np.int32)
    padded[2:-2, 2:-2] = far * ~edges
    _spread(padded)
    turned = padded[::-1, ::-1].copy()
    _spread(turned)
    return turned[-3:1:-1, -3:1:-1]


@kernel
def _sobel(padded: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the derivatives across and down of an image that is padded by one pixel."""
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    across, down = np.empty((height, width), np.int16), np.empty((height, width), np.int16)
    for y in range(height):
        top, middle, bottom, right, below = padded[y], padded[y + 1], padded[y + 2], across[y], down[y]
        for x in range(width):
            a, b, c = np.int16(top[x]), np.int16(top[x + 1]), np.int16(top[x + 2])
            d, f = np.int16(middle[x]), np.int16(middle[x + 2])
            g, h, i = np.int16(bottom[x]), np.int16(bottom[x + 1]), np.int16(bottom[x + 2])
            right[x] = (c - a) + (f - d) + (f - d) + (i - g)
            below[x] = (g - a) + (h - b) + (h - b) + (i - c)
    return across, down


@kernel
def _ridges(
    across: NDArray[np.int16], down: NDArray[np.int16], low: np.int32, high: np.int32
) -> NDArray[np.uint8]:
    """Mark where the slope is steeper than on both sides, in a map with a border of one pixel."""
    height, width = across.shape
    slopes = np.zeros((height + 2, width + 2), np.int32)
    for y in range(height):
        slope, right, below = slopes[y + 1, 1:], across[y], down[y]
        for x in range(width):
            slope[x] = abs(np.int32(right[x])) + abs(np.int32(below[x]))
    ridges = np.zeros((height + 2, width + 2), np.uint8)
    for y in range(height):
        above, here, under = slopes[y], slopes[y + 1], slopes[y + 2]
        right, below, ridge = across[y], down[y], ridges[y + 1, 1:]
        for x in range(width):
            dx, dy, slope = np.int32(right[x]), np.int32(below[x]), here[x + 1]
            flat = abs(dx) * np.int32(_TANGENT)
            steep = flat + (abs(dx) << np.int32(16))
            tilt = abs(dy) << np.int32(15)
            falling = (dx ^ dy) < 0
            one, other = (above[x + 2], under[x]) if falling else (above[x], under[x + 2])
            is_ridge = slope > one and slope > other
            is_ridge = (slope > above[x + 1] and slope >= under[x + 1]) if tilt > steep else is_ridge
            is_ridge = (slope > here[x] and slope >= here[x + 2]) if tilt < flat else is_ridge
            mark = _STRONG if slope > high else _WEAK
            ridge[x] = mark if is_ridge and slope > low else np.uint8(0)
    return ridges


@kernel
def _grow(ridges: NDArray[np.uint8]) -> None:
    """Make weak ridges strong that are connected to strong ones."""
    stride = ridges.shape[1]
    flat = ridges.reshape(-1)
    found = np.flatnonzero(flat == _STRONG)
    waiting = np.empty(flat.size, np.int64)
    waiting[: found.size] = found
    count = found.size
    while count > 0:
        count -= 1
        place = waiting[count]
        for dy in (-stride, 0, stride):
            for dx in (-1, 0, 1):
                if flat[place + dy + dx] == _WEAK:
                    flat[place + dy + dx] = _STRONG
                    waiting[count] = place + dy + dx
                    count += 1


@kernel
def _spread(padded: NDArray[np.int32]) -> None:
    """Propagate distances downwards and to the right."""
    width = padded.shape[1] - 4
    nearer, shifted = np.empty(width + 31, np.int32), np.empty(width + 31, np.int32)
    nearer[:31] = padded[0, 0]
    shifted[:31] = padded[0, 0]
    for y in range(2, padded.shape[0] - 2):
        second, above, here = padded[y - 2], padded[y - 1], padded[y, 2:]
        row = nearer[31:]
        for x in range(width):
            knight = i32(min(second[x + 1], second[x + 3], above[x], above[x + 4]) + i32(_KNIGHT))
            diagonal = i32(min(above[x + 1], above[x + 3]) + i32(_DIAGONAL))
            straight = i32(above[x + 2] + i32(UNIT))
            row[x] = min(here[x], straight, knight, diagonal)
        # steps to the right: 1, then 2, 4, 8 and 16 at once
        _step(nearer, 1, shifted)
        _step(shifted, 2, nearer)
        _step(nearer, 4, shifted)
        _step(shifted, 8, nearer)
        _step(nearer, 16, shifted)
        here[:width] = shifted[31:]


@kernel
def _step(line: NDArray[np.int32], step: int, nearer: NDArray[np.int32]) -> None:
    here, left, out = line[31:], line[31 - step :], nearer[31:]
    length = i32(step * UNIT)
    for x in range(here.size):
        out[x] = min(here[x], i32(left[x] + length))
