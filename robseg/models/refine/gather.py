"""The refinement itself: each label is taken from a pixel nearby."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from robseg.models.refine.names import SCALE

__all__ = ["refined"]

Value = TypeVar("Value", bound=np.generic)


def refined(labels: NDArray[Value], offsets: NDArray[np.integer], scale: int = SCALE) -> NDArray[Value]:
    """Return labels (..., H, W), or other values of pixels, each taken from where its offset (dy, dx) points.

    `offsets` (..., H, W, 2) are integers, which `scale` multiplies; an offset that points beyond the image
    takes the label at its border. Bilinear sampling with aligned corners gives the same at whole positions.

    Examples
    --------
    >>> labels = np.array([[0, 0, 0, 1, 1]], np.uint8)
    >>> offsets = np.zeros((1, 5, 2), np.int8)
    >>> offsets[0, 2] = (0, 1)  # the label to its right is the right one
    >>> refined(labels, offsets, scale=1)
    array([[0, 0, 1, 1, 1]], dtype=uint8)
    """
    if offsets.shape != (*labels.shape, 2):
        raise ValueError(
            f"Expected `offsets` of shape {(*labels.shape, 2)}, but got {offsets.shape}: "
            "one (dy, dx) for each label."
        )
    height, width = labels.shape[-2:]
    # Wide enough for any scale: published offsets are bytes.
    shifts = offsets.astype(np.int64) * scale
    rows = np.clip(np.arange(height)[:, None] + shifts[..., 0], 0, height - 1)
    columns = np.clip(np.arange(width) + shifts[..., 1], 0, width - 1)
    flat = labels.reshape(*labels.shape[:-2], height * width)
    places = (rows * width + columns).reshape(flat.shape)
    return np.take_along_axis(flat, places, axis=-1).reshape(labels.shape)
