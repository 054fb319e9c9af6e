"""Images that several tests predict."""

import numpy as np
from numpy.typing import NDArray


def rgb(height: int, width: int, count: int = 1) -> NDArray[np.uint8]:
    """Return images (count, height, width, 3) of noise, always the same."""
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
