"""Moving a target along a displacement field."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["move_target"]


def move_target(
    target: NDArray[np.uint8], taken_from: NDArray[np.float64], ignore_index: int
) -> NDArray[np.uint8]:
    """Take each pixel of a (H, W) target from the nearest pixel to its (2, H, W) row and column.

    Where these are NaN, the target becomes `ignore_index`. Beyond the border the target is mirrored, like the
    image.
    """
    uncovered = np.isnan(taken_from).any(axis=0)
    moved: NDArray[np.uint8] = ndimage.map_coordinates(
        target, np.where(uncovered, 0, taken_from), order=0, mode="reflect"
    )
    moved[uncovered] = ignore_index
    return moved
