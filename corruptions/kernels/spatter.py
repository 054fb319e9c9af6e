"""Spatter: drops of water or mud on the lens, where a blurred field of noise is high.

Water is shaded by the embossed distance to the edges of its drops, as if it refracted light. The steps and
their rounding are those of OpenCV's functions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.edges import UNIT, canny, distance
from corruptions.kernels.gaussian import blur_plane, gaussian_weights
from corruptions.kernels.random import Stream, normals
from corruptions.kernels.rows import EPSILON

__all__ = ["spatter"]

Plane = NDArray[Any]  # of uint8 or int32

_WATER = (175.0, 238.0, 238.0)  # pale turquoise
_MUD = (63.0, 42.0, 20.0)  # brown
_FAR = 20  # pixels from the edge; water is not shaded beyond


def spatter(
    image: NDArray[np.uint8],
    *,
    mean: float,
    scale: float,
    sigma: float,
    threshold: float,
    strength: float,
    mud: bool,
    stream: Stream,
) -> NDArray[np.uint8]:
    """Cover an image with random drops.

    Drops are where noise, blurred by `sigma` pixels and then scaled to `mean` and `scale`, is at least
    `threshold`. `strength` is that of the water; for mud it is the sigma that rounds the drops.
    """
    weights = gaussian_weights(sigma)
    blurred = blur_plane(normals(stream, image.shape[:2]), weights, weights, False)
    liquid = _levels(blurred, np.float32(mean), np.float32(scale), np.float32(threshold))
    height = len(image)
    spattered = np.empty_like(image)
    rows, to = image.reshape(height, -1), spattered.reshape(height, -1)
    if mud:
        weights = gaussian_weights(strength)
        drops = blur_plane((liquid > 0).astype(np.float32), weights, weights, False)
        _cover(rows, drops, to)
    else:
        depth, deepest = _depth(liquid, _shade(liquid))
        # without a drop all depths are 0
        _add(rows, depth, np.float32(strength / max(deepest, 1)), to)
    return spattered


def _shade(liquid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the shade of water: the distance to the edges, equalised, embossed and smoothed."""
    reach = _whole_mean_of_nine(np.pad(distance(canny(liquid, 50, 150), _FAR), 1, mode="reflect"))
    equal = _equalised(reach)
    return _mean_of_nine(np.pad(_embossed(np.pad(equal, 1, mode="reflect")), 1, mode="reflect"))


def _equalised(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Equalise the histogram of levels up to _FAR: spread them over 0 to 255."""
    counts = _counts(levels)
    lowest = int(np.flatnonzero(counts)[0])
    if counts[lowest] == levels.size:
        return levels
    above = np.cumsum(counts) - counts[lowest]
    scale = np.float32(255) / np.float32(levels.size - counts[lowest])
    table = np.rint(np.maximum(above, 0).astype(np.float32) * scale).astype(np.uint8)
    return _looked_up(levels, table)


@kernel
def _counts(levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pixels have each level up to _FAR."""
    counts = np.zeros((4, 256), np.int64)  # four: equal neighbours would wait for each other's increment
    flat = levels.reshape(-1)
    quarter = flat.size // 4
    for part in range(quarter):
        for k in range(4):
            counts[k, flat[k * quarter + part]] += 1
    for i in range(4 * quarter, flat.size):
        counts[0, flat[i]] += 1
    total: NDArray[np.int64] = counts.sum(axis=0)[: _FAR + 1]
    return total


@kernel
def _looked_up(levels: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    found = np.empty(levels.shape, np.uint8)
    for y in range(levels.shape[0]):
        row, to = levels[y], found[y]
        for x in range(row.size):
            to[x] = table[row[x]]
    return found


@kernel
def _levels(
    blurred: NDArray[np.float32], mean: np.float32, scale: np.float32, threshold: np.float32
) -> NDArray[np.uint8]:
    """Return levels of liquid, truncated; 0 below the threshold."""
    levels = np.empty(blurred.shape, np.uint8)
    for y in range(blurred.shape[0]):
        row, to = blurred[y], levels[y]
        for x in range(row.size):
            height = mean + scale * row[x]
            level = np.int32(min(height, np.float32(1)) * np.float32(255))
            to[x] = np.uint8(level if height >= threshold else np.int32(0))
    return levels


@kernel
def _whole_mean_of_nine(padded: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the mean distance of 3 x 3 pixels, truncated to whole pixels."""
    means = np.empty((padded.shape[0] - 2, padded.shape[1] - 2), np.uint8)
    columns = np.empty(padded.shape[1], np.int32)
    for y in range(means.shape[0]):
        _sum_three(padded[y], padded[y + 1], padded[y + 2], columns)
        to = means[y]
        for x in range(to.size):
            nine = columns[x] + columns[x + 1] + columns[x + 2]
            to[x] = np.uint8(np.uint32(nine) // np.uint32(9 * UNIT))
    return means


@kernel
def _sum_three(a: Plane, b: Plane, c: Plane, to: NDArray[np.int32]) -> None:
    for x in range(to.size):
        to[x] = np.int32(a[x]) + np.int32(b[x]) + np.int32(c[x])


@kernel
def _embossed(padded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image lit from the top left, clipped to 0..255."""
    embossed = np.empty((padded.shape[0] - 2, padded.shape[1] - 2), np.uint8)
    for y in range(embossed.shape[0]):
        top, middle, bottom, to = padded[y], padded[y + 1], padded[y + 2], embossed[y]
        for x in range(to.size):
            lit = np.int32(middle[x + 1]) + np.int32(middle[x + 2]) + np.int32(bottom[x + 1])
            lit += np.int32(2) * np.int32(bottom[x + 2]) - np.int32(2) * np.int32(top[x])
            lit -= np.int32(top[x + 1]) + np.int32(middle[x])
            to[x] = np.uint8(min(max(lit, np.int32(0)), np.int32(255)))
    return embossed


@kernel
def _mean_of_nine(padded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mean of 3 x 3 pixels, rounded."""
    means = np.empty((padded.shape[0] - 2, padded.shape[1] - 2), np.uint8)
    columns = np.empty(padded.shape[1], np.int32)
    for y in range(means.shape[0]):
        _sum_three(padded[y], padded[y + 1], padded[y + 2], columns)
        to = means[y]
        for x in range(to.size):
            nine = columns[x] + columns[x + 1] + columns[x + 2] + np.int32(4)
            to[x] = np.uint8(np.uint32(nine) // np.uint32(9))
    return means


@kernel
def _depth(liquid: NDArray[np.uint8], shade: NDArray[np.uint8]) -> tuple[NDArray[np.int32], int]:
    """Return the product of the two, and its maximum."""
    depth = np.empty((liquid.shape[0], liquid.shape[1]), np.int32)
    deepest = 0
    for y in range(depth.shape[0]):
        drop, bright, out = liquid[y], shade[y], depth[y]
        for x in range(out.size):
            out[x] = np.int32(drop[x]) * np.int32(bright[x])
            deepest = max(deepest, int(out[x]))
    return depth, deepest


@kernel
def _add(
    image: NDArray[np.uint8], shade: NDArray[np.int32], strength: np.float32, wet: NDArray[np.uint8]
) -> None:
    """Add the colour of water, times `strength` and shade, and truncate."""
    red, green, blue = np.float32(_WATER[0]), np.float32(_WATER[1]), np.float32(_WATER[2])
    for y in range(image.shape[0]):
        row, depth, out = image[y], shade[y], wet[y]
        for x in range(depth.size):
            water = strength * np.float32(depth[x])
            out[3 * x] = _truncated(np.float32(row[3 * x]) + water * red)
            out[3 * x + 1] = _truncated(np.float32(row[3 * x + 1]) + water * green)
            out[3 * x + 2] = _truncated(np.float32(row[3 * x + 2]) + water * blue)


@kernel
def _cover(image: NDArray[np.uint8], drops: NDArray[np.float32], muddy: NDArray[np.uint8]) -> None:
    """Mix in the colour of mud where drops cover at least 0.8 of a pixel's surroundings, and truncate."""
    red, green, blue = np.float32(_MUD[0]), np.float32(_MUD[1]), np.float32(_MUD[2])
    for y in range(image.shape[0]):
        row, drop, out = image[y], drops[y], muddy[y]
        for x in range(drop.size):
            mud = drop[x] if drop[x] >= np.float32(0.8) else np.float32(0)
            clear = np.float32(1) - mud
            out[3 * x] = _truncated(clear * np.float32(row[3 * x]) + mud * red)
            out[3 * x + 1] = _truncated(clear * np.float32(row[3 * x + 1]) + mud * green)
            out[3 * x + 2] = _truncated(clear * np.float32(row[3 * x + 2]) + mud * blue)


@kernel
def _truncated(level: np.float32) -> np.uint8:
    return np.uint8(np.int32(min(level + EPSILON, np.float32(255))))
