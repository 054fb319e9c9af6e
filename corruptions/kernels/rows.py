"""Arithmetic on rows of samples: the innermost loops, each of which becomes vector instructions.

The output array gives the number of samples; the others may be longer.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = [
    "EPSILON",
    "Rows",
    "add_four",
    "add_four_pairs",
    "add_pair",
    "add_product",
    "inside",
    "mix",
    "packed",
    "set_product",
    "take",
    "truncate",
]

EPSILON = np.float32(1e-3)
"""Larger than the rounding errors of a sum, too small to be seen in a mean."""

Rows = NDArray[Any]  # of uint8, uint16 or float32


@kernel
def inside(i: int, size: int, mirrored: bool) -> int:
    """Return the index inside a line of `size` pixels whose pixel takes the place of pixel `i`."""
    if not mirrored:
        return min(max(i, 0), size - 1)
    i %= 2 * size
    return min(i, 2 * size - 1 - i)


@kernel
def set_product(total: NDArray[np.float32], a: Rows, weight: np.float32) -> None:
    """Set `total` to the samples of `a` times a weight."""
    for i in range(total.size):
        total[i] = np.float32(a[i]) * weight


@kernel
def add_pair(total: NDArray[np.float32], a: Rows, b: Rows, weight: np.float32) -> None:
    """Add the samples of `a` and `b`, times a weight."""
    for i in range(total.size):
        total[i] += (np.float32(a[i]) + np.float32(b[i])) * weight


@kernel
def add_four_pairs(
    total: NDArray[np.float32],
    a: Rows,
    b: Rows,
    c: Rows,
    d: Rows,
    e: Rows,
    f: Rows,
    g: Rows,
    h: Rows,
    weights: NDArray[np.float32],
) -> None:
    """Add four pairs at once, the last weight first: memory is slower than arithmetic."""
    w0, w1, w2, w3 = weights[3], weights[2], weights[1], weights[0]
    for i in range(total.size):
        total[i] += (
            (np.float32(a[i]) + np.float32(b[i])) * w0
            + (np.float32(c[i]) + np.float32(d[i])) * w1
            + (np.float32(e[i]) + np.float32(f[i])) * w2
            + (np.float32(g[i]) + np.float32(h[i])) * w3
        )


@kernel
def add_product(total: NDArray[np.float32], a: Rows, weight: np.float32) -> None:
    """Add the samples of `a` times a weight."""
    for i in range(total.size):
        total[i] += np.float32(a[i]) * weight


@kernel
def add_four(
    total: NDArray[np.float32], a: Rows, b: Rows, c: Rows, d: Rows, weights: NDArray[np.float32]
) -> None:
    """Add the samples of four rows times their weights."""
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for i in range(total.size):
        total[i] += (
            np.float32(a[i]) * w0 + np.float32(b[i]) * w1 + np.float32(c[i]) * w2 + np.float32(d[i]) * w3
        )


@kernel
def mix(a: Rows, b: Rows, fraction: np.float32, mixed: NDArray[np.float32]) -> None:
    """Write `a` + `fraction` * (`b` - `a`)."""
    for i in range(mixed.size):
        mixed[i] = np.float32(a[i]) + fraction * (np.float32(b[i]) - np.float32(a[i]))


@kernel
def take(
    line: NDArray[np.float32],
    following: NDArray[np.float32],
    first: NDArray[np.uint32],
    fraction: NDArray[np.float32],
    taken: NDArray[np.float32],
) -> None:
    """Take samples `first` from a line, each mixed with a fraction of the same sample of `following`."""
    for i in range(taken.size):
        left = line[first[i]]
        taken[i] = left + fraction[i] * (following[first[i]] - left)


@kernel
def truncate(row: NDArray[np.float32], to: NDArray[np.uint8]) -> None:
    """Clip to 0..255 and truncate to integers, as the reference does."""
    for i in range(to.size):
        to[i] = np.uint8(np.int32(min(max(row[i] + EPSILON, np.float32(0)), np.float32(255))))


@kernel
def packed(image: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return (H, W) words that hold the three bytes of every pixel, so that one copy moves a pixel."""
    pixels = np.empty((image.shape[0], image.shape[1]), np.uint32)
    for y in range(len(pixels)):
        row, words = image[y].reshape(-1), pixels[y]
        for x in range(words.size):
            red, green, blue = np.uint32(row[3 * x]), np.uint32(row[3 * x + 1]), np.uint32(row[3 * x + 2])
            words[x] = red | (green << np.uint32(8)) | (blue << np.uint32(16))
    return pixels
