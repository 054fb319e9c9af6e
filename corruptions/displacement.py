"""Fields that say from where each pixel is taken, and moving a target along one."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from corruptions.random import Stream
from corruptions.registry import Parameters
from corruptions.unported import random_state

__all__ = ["elastic_displacement", "move_target"]


def elastic_displacement(
    height: int, width: int, parameters: Parameters, stream: Stream
) -> NDArray[np.float64]:
    """Draw the smooth random field of elastic_transform.

    Returns the (2, H, W) rows and columns, in pixels, that the output pixels are taken from. The columns
    are drawn first and everything is rounded to float32 as in ImageNet-C, so that one random state gives the
    field of the image and of its target.
    """
    rng = random_state(stream)
    sigma = np.array((height, width)) * parameters["sigma"]
    largest = height * parameters["amplitude"]
    columns, rows = (
        ndimage.gaussian_filter(
            rng.uniform(-largest, largest, size=(height, width)), sigma, mode="reflect", truncate=3
        )
        * parameters["gain"]
        for _ in range(2)
    )
    return np.mgrid[:height, :width] + np.stack([rows, columns]).astype(np.float32)


def move_target(
    target: NDArray[np.uint8], taken_from: NDArray[np.float64], ignore_index: int
) -> NDArray[np.uint8]:
    """Take each pixel of a (H, W) target from the nearest pixel to its (2, H, W) row and column.

    Where they are NaN nothing is taken and the target becomes `ignore_index`; beyond the border it is
    mirrored as the image is.
    """
    uncovered = np.isnan(taken_from).any(axis=0)
    moved: NDArray[np.uint8] = ndimage.map_coordinates(
        target, np.where(uncovered, 0, taken_from), order=0, mode="reflect"
    )
    moved[uncovered] = ignore_index
    return moved
