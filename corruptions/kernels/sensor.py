"""Noise of a camera's sensor, which depends on the intensity of the light."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.random import Stream, normals

__all__ = ["BINS", "intensity_dependent_noise", "logarithm_tables"]

BINS = 1 << 11  # of the argument of log2 from 1 to 2: finer than the narrowest grey level


def intensity_dependent_noise(
    image: NDArray[np.uint8], *, weight: float, stream: Stream
) -> NDArray[np.uint8]:
    """Return log2(2**v + weight * (luminance + chrominance)), rounded, where v in [0, 1] is a sample.

    Both noises are standard normal. The channels of a pixel share the luminance noise; each has a chrominance
    noise of its own. To first order the noise of v has the standard deviation weight * sqrt(2) / (2**v ln 2),
    so a black pixel is twice as noisy as a white one.
    """
    noise = normals(stream, (*image.shape[:2], 4))  # luminance, then the chrominance of each channel
    noisy = np.empty_like(image)
    _add_noise(
        image.reshape(-1, 3),
        np.float32(weight),
        noise.reshape(-1, 4),
        *logarithm_tables(),
        noisy.reshape(-1, 3),
    )
    return noisy


@cache
def logarithm_tables() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Return 2**v by level, the value above which log2 rounds to the next level, and the level by bin."""
    levels = np.arange(256)
    power = np.exp2(levels / 255).astype(np.float32)
    next_level = np.exp2((levels + 0.5) / 255).astype(np.float32)
    starts = (1 + np.arange(BINS + 1) / BINS).astype(np.float32)
    by_bin = np.searchsorted(next_level, starts, side="right").clip(max=255).astype(np.uint8)
    return power, next_level, by_bin


@kernel
def _add_noise(
    image: NDArray[np.uint8],
    weight: np.float32,
    noise: NDArray[np.float32],
    power: NDArray[np.float32],
    next_level: NDArray[np.float32],
    by_bin: NDArray[np.uint8],
    noisy: NDArray[np.uint8],
) -> None:
    one, two = np.float32(1), np.float32(2)
    for pixel in range(len(image)):
        luminance = noise[pixel, 0]
        for channel in range(3):
            radiance = power[image[pixel, channel]] + weight * (luminance + noise[pixel, channel + 1])
            radiance = min(max(radiance, one), two)
            # the logarithm by table: a bin contains at most one border between two levels
            level = by_bin[np.uint32((radiance - one) * np.float32(BINS))]
            noisy[pixel, channel] = level + np.uint8(radiance >= next_level[level])
