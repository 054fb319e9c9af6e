"""The eight directions in which SegFix lets a pixel look for the inside of its region."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "direction_of"]

# (dy, dx) of each direction, every 45 degrees from the left on, clockwise as one sees the image.
DIRECTIONS: NDArray[np.int8] = np.array(
    [(0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1)], np.int8
)
DIRECTIONS.flags.writeable = False

STEP = 360 / len(DIRECTIONS)


def direction_of(angle: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return the direction nearest to an angle atan2(dy, dx) in degrees, -180..180.

    A direction has the angles up to half a step from it, but not those at its lower end, which the one before
    has.

    Examples
    --------
    >>> direction_of(np.array([-180.0, -135.0, 0.0, 22.5, 22.6, 180.0])).tolist()
    [0, 1, 4, 4, 5, 0]
    """
    steps = np.ceil((angle + 180) / STEP - 0.5).astype(np.uint8)
    return np.where(steps == len(DIRECTIONS), 0, steps).astype(np.uint8)
