"""Barrel distortion: a lens that bends straight lines outwards."""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = ["geometric_displacement", "geometric_distortion"]


def geometric_distortion(image: NDArray[np.uint8], *, coefficient: float) -> NDArray[np.uint8]:
    """Distort an image along `geometric_displacement`: bilinear, black where nothing was."""
    distorted = np.empty_like(image)
    _distort(image, float(coefficient), distorted)
    return distorted


def geometric_displacement(height: int, width: int, *, coefficient: float) -> NDArray[np.float64]:
    """Return the (2, H, W) row and column that each pixel of the result comes from, NaN beyond the border.

    A pixel at radius r comes from radius r (1 + coefficient (r + r**2 + r**3)), a polynomial of degree four.
    The radius is 1 in the corners.
    """
    middle = np.array([(height - 1) / 2, (width - 1) / 2]).reshape(2, 1, 1)
    offsets = np.mgrid[:height, :width] - middle
    radius = np.sqrt((offsets**2).sum(axis=0)) / (np.hypot(height, width) / 2)
    taken_from: NDArray[np.float64] = middle + offsets * (1 + coefficient * (radius + radius**2 + radius**3))
    side = np.array([height, width]).reshape(2, 1, 1)
    outside = ((taken_from < -0.5) | (taken_from >= side - 0.5)).any(axis=0)
    taken_from[:, outside] = np.nan
    return taken_from


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
    """Write the rounded bilinear mean of four pixels; the border is extended by its nearest pixel."""
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
