"""Glass blur: frosted glass, which moves pixels at random between two Gaussian blurs."""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.gaussian import blur_to_bytes, gaussian_weights
from corruptions.kernels.random import Stream, words
from corruptions.kernels.rows import packed

__all__ = ["draw_shifts", "glass_blur"]


def glass_blur(
    image: NDArray[np.uint8], *, sigma: float, max_delta: int, iterations: int, stream: Stream
) -> NDArray[np.uint8]:
    """Show the image through random glass, which moves pixels by up to `max_delta`, `iterations` times."""
    weights = gaussian_weights(sigma)
    blurred = blur_to_bytes(image.reshape(image.shape[0], -1), weights)
    pixels = packed(blurred.reshape(image.shape))
    for one_pass in draw_shifts(image.shape[:2], stream, max_delta=max_delta, iterations=iterations):
        _move(pixels, one_pass, max_delta)
    moved = _unpacked(pixels)
    return blur_to_bytes(moved, weights).reshape(image.shape)


def draw_shifts(
    shape: tuple[int, ...], stream: Stream, *, max_delta: int, iterations: int
) -> NDArray[np.int8]:
    """Draw the shifts of each pass and pixel in rows and columns: (passes, H, W, 2), -d to d - 1."""
    passes = [_shifts(words(stream, shape, lane), np.uint32(max_delta)) for lane in range(iterations)]
    return np.stack(passes)


@kernel
def _shifts(words: NDArray[np.uint32], largest: np.uint32) -> NDArray[np.int8]:
    """Turn each word into two shifts from -largest to largest - 1: rows (upper half) and columns."""
    shifts = np.empty((*words.shape, 2), np.int8)
    flat, pairs = words.reshape(-1), shifts.reshape(-1)
    span = np.uint32(2) * largest
    for i in range(flat.size):
        across = ((flat[i] & np.uint32(0xFFFF)) * span) >> np.uint32(16)
        down = ((flat[i] >> np.uint32(16)) * span) >> np.uint32(16)
        pairs[2 * i] = np.int8(np.int32(down) - np.int32(largest))
        pairs[2 * i + 1] = np.int8(np.int32(across) - np.int32(largest))
    return shifts


@kernel
def _move(pixels: NDArray[np.uint32], shifts: NDArray[np.int8], largest: int) -> None:
    """Replace each pixel, from the last one backwards, by the current pixel one shift away.

    The reference means to swap the two, but as it works on views of one array it copies. Pixels in the border
    of `largest` pixels (and one more at the top and left) are not replaced.
    """
    height, width = pixels.shape
    flat = pixels.reshape(-1)
    for y in range(height - largest, largest, -1):
        for x in range(width - largest, largest, -1):
            away = np.int64(shifts[y, x, 0]) * width + np.int64(shifts[y, x, 1])
            here = y * width + x
            flat[np.uint64(here)] = flat[np.uint64(here + away)]


@kernel
def _unpacked(pixels: NDArray[np.uint32]) -> NDArray[np.uint8]:
    rows = np.empty((pixels.shape[0], 3 * pixels.shape[1]), np.uint8)
    samples, flat = rows.reshape(-1), pixels.reshape(-1)
    for i in range(flat.size):
        samples[3 * i] = np.uint8(flat[i] & np.uint32(0xFF))
        samples[3 * i + 1] = np.uint8(flat[i] >> np.uint32(8) & np.uint32(0xFF))
        samples[3 * i + 2] = np.uint8(flat[i] >> np.uint32(16))
    return rows
