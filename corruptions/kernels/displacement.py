"""Moving a target along a field that says from where each pixel is taken."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["move_target"]


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
