"""Glass blur: pixels seen through frosted glass, moved at random between two Gaussian blurs."""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.gaussian import gaussian_blur_to_bytes, gaussian_weights
from corruptions.kernels.random import Stream, words
from corruptions.registry import Parameters

__all__ = ["draw_shifts", "glass_blur", "through_glass"]


def glass_blur(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
    """Return the image through a pane of glass drawn from the stream."""
    return through_glass(image, parameters, draw_shifts(image.shape[:2], parameters, stream))


def draw_shifts(shape: tuple[int, ...], parameters: Parameters, stream: Stream) -> NDArray[np.int8]:
    """Draw for each pass and pixel by how many rows and columns to move: (passes, H, W, 2), -d to d - 1."""
    largest = int(parameters["max_delta"])
    passes = [
        _shifts(words(stream, shape, lane), np.uint32(largest))
        for lane in range(int(parameters["iterations"]))
    ]
    return np.stack(passes)


def through_glass(
    image: NDArray[np.uint8], parameters: Parameters, shifts: NDArray[np.int8]
) -> NDArray[np.uint8]:
    """Blur, move pixels by given shifts and blur again."""
    rows, channels = image.reshape(image.shape[0], -1), image.shape[2]
    weights = gaussian_weights(parameters["sigma"])
    blurred = gaussian_blur_to_bytes(rows, weights, weights, channels, False)
    pixels = _packed(blurred)
    for one_pass in shifts:
        _move(pixels, one_pass, int(parameters["max_delta"]))
    moved = _unpacked(pixels)
    return gaussian_blur_to_bytes(moved, weights, weights, channels, False).reshape(image.shape)


@kernel
def _shifts(words: NDArray[np.uint32], largest: np.uint32) -> NDArray[np.int8]:
    """Make of a word's halves two numbers from -largest to largest - 1, rows (the upper half) and columns."""
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
    """Copy to each pixel, from the last one backwards, the pixel that lies one shift away from it by now.

    The reference means to swap the two, but its views of the same array make it a copy. The border of
    `largest` pixels (and one more at the top and left) is only copied from.
    """
    height, width = pixels.shape
    flat = pixels.reshape(-1)
    for y in range(height - largest, largest, -1):
        for x in range(width - largest, largest, -1):
            away = np.int64(shifts[y, x, 0]) * width + np.int64(shifts[y, x, 1])
            here = y * width + x
            flat[np.uint64(here)] = flat[np.uint64(here + away)]


@kernel
def _packed(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return (H, W) words of the three bytes of each pixel, so that a pixel is moved at once."""
    pixels = np.empty((rows.shape[0], rows.shape[1] // 3), np.uint32)
    samples, flat = rows.reshape(-1), pixels.reshape(-1)
    for i in range(flat.size):
        flat[i] = (
            np.uint32(samples[3 * i])
            | np.uint32(samples[3 * i + 1]) << np.uint32(8)
            | np.uint32(samples[3 * i + 2]) << np.uint32(16)
        )
    return pixels


@kernel
def _unpacked(pixels: NDArray[np.uint32]) -> NDArray[np.uint8]:
    rows = np.empty((pixels.shape[0], 3 * pixels.shape[1]), np.uint8)
    samples, flat = rows.reshape(-1), pixels.reshape(-1)
    for i in range(flat.size):
        samples[3 * i] = np.uint8(flat[i] & np.uint32(0xFF))
        samples[3 * i + 1] = np.uint8(flat[i] >> np.uint32(8) & np.uint32(0xFF))
        samples[3 * i + 2] = np.uint8(flat[i] >> np.uint32(16))
    return rows
