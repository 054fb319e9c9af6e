"""Fog: a random fractal height map, bright where the fog is thick, mixed into the image.

The map is made by the diamond-square algorithm (Fournier, Fussell & Carpenter, CACM 1982) on a torus: every
level halves the spacing of the points, and every new point is the mean of four neighbours and noise.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.compiling import kernel
from corruptions.random import Stream, uniforms
from corruptions.registry import Parameters

__all__ = ["draw_fog", "fog", "fog_with"]

_AMPLITUDE = 100.0**2  # of the first level's noise; the next level's is smaller by the decay, squared


def fog(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
    """Cover an image with random fog."""
    height, width, _ = image.shape
    return fog_with(image, parameters, draw_fog(height, width, stream))


def draw_fog(height: int, width: int, stream: Stream) -> NDArray[np.float32]:
    """Return the uniform draws of a map of the smallest side that is a power of two and covers the image.

    They are, for n = 1, 2, 4, ..., the (3, n, n) draws of the points that refine a map of n x n: inside the
    squares, above and left of them.
    """
    side = 1 << (max(height, width) - 1).bit_length()
    return uniforms(stream, side * side - 1)


def fog_with(
    image: NDArray[np.uint8], parameters: Parameters, draws: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Cover an image with fog of the given draws; the brightest level of the image stays the brightest.

    What is cut off is (image + strength * map) * m / (m + strength), with the map and the image from 0 to 1
    and m the largest level of the image.
    """
    height = image.shape[0]
    heights = _height_map(draws, parameters["decay"])
    lowest, highest = _range(heights)
    brightest = float(image.max())
    weight = brightest / (brightest + 255 * parameters["strength"])
    gain = 255 * parameters["strength"] * weight / (float(highest) - float(lowest))
    foggy = np.empty_like(image)
    _mix(
        image.reshape(height, -1),
        np.float32(weight),
        heights,
        np.float32(gain),
        np.float32(gain * float(lowest)),
        foggy.reshape(height, -1),
    )
    return foggy


def _height_map(draws: NDArray[np.float32], decay: float) -> NDArray[np.float32]:
    """Return the (side + 1, side + 1) map, whose last row and column repeat the first ones."""
    heights = np.zeros((2, 2), np.float32)
    side, amplitude = 1, _AMPLITUDE
    while side * side <= draws.size:
        noise = draws[side * side - 1 : 4 * side * side - 1].reshape(3, side, side)
        finer = np.empty((2 * side + 1, 2 * side + 1), np.float32)
        _refine(heights, noise, np.float32(amplitude), finer)
        heights, side, amplitude = finer, 2 * side, amplitude / decay**2
    return heights


@kernel
def _refine(
    heights: NDArray[np.float32],
    noise: NDArray[np.float32],
    amplitude: np.float32,
    finer: NDArray[np.float32],
) -> None:
    """Fill a map of twice the side; `noise` is from 0 to 1 for noise from -amplitude to amplitude."""
    side = heights.shape[0] - 1
    quarter, gain = np.float32(0.25), np.float32(2) * amplitude
    # the middles of the squares; row and column 0 repeat the last ones, as the torus has them there
    middles = np.empty((side + 1, side + 1), np.float32)
    for y in range(side):
        top, bottom, draw, middle = heights[y], heights[y + 1], noise[0, y], middles[y + 1]
        for x in range(side):
            corners = (top[x] + bottom[x]) + (top[x + 1] + bottom[x + 1])
            middle[x + 1] = quarter * corners + (gain * draw[x] - amplitude)
        middle[0] = middle[side]
    middles[0] = middles[side]
    for y in range(side):
        top, bottom, above, middle = heights[y], heights[y + 1], middles[y], middles[y + 1]
        upper, left = noise[1, y], noise[2, y]
        even, odd = finer[2 * y], finer[2 * y + 1]
        for x in range(side):
            even[2 * x] = top[x]
            diamond = (middle[x + 1] + above[x + 1]) + (top[x] + top[x + 1])
            even[2 * x + 1] = quarter * diamond + (gain * upper[x] - amplitude)
        for x in range(side):
            diamond = (middle[x + 1] + middle[x]) + (top[x] + bottom[x])
            odd[2 * x] = quarter * diamond + (gain * left[x] - amplitude)
            odd[2 * x + 1] = middle[x + 1]
        even[2 * side] = even[0]
        odd[2 * side] = odd[0]
    finer[2 * side] = finer[0]


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
