"""Camera: what the lens and the sensor of a real camera do (Kamann & Rother, IJCV 2021).

The paper describes these three but publishes none of their constants; these are ours. They were chosen so
that PSNR and SSIM fall evenly over the severities, within the range of the group that each belongs with; see
docs/corruptions.md.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.psf import apply_psf_blur
from corruptions.kernels.random import Stream, normals
from corruptions.registry import Corruption, Parameters, by_severity, register

__all__ = ["BINS", "barrel_displacement", "distort", "intensity_dependent_noise", "logarithm_tables"]

KAMANN_ROTHER = (
    "Kamann & Rother, IJCV 2021, section 3.2; constants chosen by us, for theirs are not published"
)
BINS = 1 << 11  # of log2's argument from 1 to 2: finer than the narrowest grey level there


def intensity_dependent_noise(
    image: NDArray[np.uint8], weight: float, noise: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return log2(2**v + weight * (luminance + chrominance)), where v in [0, 1] is a sample, rounded.

    `noise` is (H, W, 4), standard normal: the luminance noise of a pixel, which its channels share, and the
    chrominance noise of each channel. To first order the noise of v has the standard deviation
    weight * sqrt(2) / (2**v ln 2), so a black pixel is twice as noisy as a white one.
    """
    noisy = np.empty_like(image)
    _intensity_dependent_noise(
        image.reshape(-1, 3),
        np.float32(weight),
        noise.reshape(-1, 4),
        *logarithm_tables(),
        noisy.reshape(-1, 3),
    )
    return noisy


def distort(image: NDArray[np.uint8], coefficient: float) -> NDArray[np.uint8]:
    """Return a (H, W, 3) image as a barrel-distorting lens shows it: bilinear, black beyond the border."""
    distorted = np.empty_like(image)
    _distort(image, float(coefficient), distorted)
    return distorted


def barrel_displacement(height: int, width: int, coefficient: float) -> NDArray[np.float64]:
    """Return the (2, H, W) row and column that each pixel of `distort` shows, NaN beyond the border.

    A pixel at radius r shows what was at radius r (1 + coefficient (r + r**2 + r**3)): a polynomial of degree
    four. The radius is 1 in the corners.
    """
    middle = np.array([(height - 1) / 2, (width - 1) / 2]).reshape(2, 1, 1)
    offsets = np.mgrid[:height, :width] - middle
    radius = np.sqrt((offsets**2).sum(axis=0)) / (np.hypot(height, width) / 2)
    taken_from: NDArray[np.float64] = middle + offsets * (1 + coefficient * (radius + radius**2 + radius**3))
    side = np.array([height, width]).reshape(2, 1, 1)
    outside = ((taken_from < -0.5) | (taken_from >= side - 0.5)).any(axis=0)
    taken_from[:, outside] = np.nan
    return taken_from


def _noisy(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
    return intensity_dependent_noise(image, parameters["weight"], normals(stream, (*image.shape[:2], 4)))


def _distorted(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
    del stream  # nothing is random
    return distort(image, parameters["coefficient"])


def _displacement(height: int, width: int, parameters: Parameters, stream: Stream) -> NDArray[np.float64]:
    del stream  # nothing is random
    return barrel_displacement(height, width, parameters["coefficient"])


@cache
def logarithm_tables() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Return 2**v by grey level, the value at which log2 rounds to the next one, and the level by bin."""
    levels = np.arange(256)
    power = np.exp2(levels / 255).astype(np.float32)
    next_level = np.exp2((levels + 0.5) / 255).astype(np.float32)
    starts = (1 + np.arange(BINS + 1) / BINS).astype(np.float32)
    by_bin = np.searchsorted(next_level, starts, side="right").clip(max=255).astype(np.uint8)
    return power, next_level, by_bin


@kernel
def _intensity_dependent_noise(
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
            # the logarithm by bisection: a bin holds at most one border between two levels
            level = by_bin[np.uint32((radiance - one) * np.float32(BINS))]
            noisy[pixel, channel] = level + np.uint8(radiance >= next_level[level])


@kernel
def _distort(image: NDArray[np.uint8], coefficient: float, distorted: NDArray[np.uint8]) -> None:
    height, width = image.shape[0], image.shape[1]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    half_diagonal = np.sqrt(height * height + width * width) / 2
    for row in range(height):
        down = row - middle_row
        for column in range(width):
            right = column - middle_column
            radius = np.sqrt(down * down + right * right) / half_diagonal
            scale = 1 + coefficient * (radius + radius * radius + radius * radius * radius)
            source_row, source_column = middle_row + down * scale, middle_column + right * scale
            outside = (
                source_row < -0.5
                or source_column < -0.5
                or source_row >= height - 0.5
                or source_column >= width - 0.5
            )
            if outside:
                distorted[row, column] = 0
            else:
                _interpolate(image, source_row, source_column, distorted[row, column])


@kernel
def _interpolate(image: NDArray[np.uint8], row: float, column: float, pixel: NDArray[np.uint8]) -> None:
    """Write the bilinear mean of four pixels, the outermost repeated beyond the border, rounded."""
    row = min(max(row, 0.0), image.shape[0] - 1.0)
    column = min(max(column, 0.0), image.shape[1] - 1.0)
    top, left = np.uint32(row), np.uint32(column)
    bottom = np.uint32(min(top + 1, image.shape[0] - 1))
    after = np.uint32(min(left + 1, image.shape[1] - 1))
    down, right = row - top, column - left
    for channel in range(3):
        upper = image[top, left, channel] * (1 - right) + image[top, after, channel] * right
        lower = image[bottom, left, channel] * (1 - right) + image[bottom, after, channel] * right
        pixel[channel] = np.uint8(upper * (1 - down) + lower * down + 0.5)


register(
    Corruption(
        name="psf_blur",
        group="camera",
        parameters=by_severity(
            defocus=(0.2, 0.3, 0.45, 0.675, 1.0),
            curvature=(0.4, 0.6, 0.9, 1.35, 2.0),
            astigmatism=(0.4, 0.6, 0.9, 1.35, 2.0),
            coma=(0.8, 1.2, 1.8, 2.7, 4.0),
        ),
        random=False,
        source=KAMANN_ROTHER,
        subsets=("kamann",),
        apply=apply_psf_blur,
        substitute=True,
    )
)
register(
    Corruption(
        name="intensity_dependent_noise",
        group="camera",
        parameters=by_severity(weight=(0.051, 0.074, 0.11, 0.165, 0.262)),
        random=True,
        source=KAMANN_ROTHER,
        subsets=("kamann",),
        apply=_noisy,
        substitute=True,
    )
)
register(
    Corruption(
        name="geometric_distortion",
        group="camera",
        parameters=by_severity(coefficient=(0.011, 0.02, 0.037, 0.072, 0.173)),
        random=False,
        source=KAMANN_ROTHER,
        subsets=("kamann",),
        apply=_distorted,
        displacement=_displacement,
        substitute=True,
    )
)
