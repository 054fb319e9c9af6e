"""Scores with which one can calculate, before they are resized, averaged and compared."""

from __future__ import annotations

import torch
from torch import Tensor

from robseg.models.predict.failures import NotFiniteError

__all__ = ["finite"]

# No sum of a few thousand of these overflows, as averages of windows take it.
LARGEST = 2.0**100


def finite(scores: Tensor) -> Tensor:
    """Return scores, float32 (N, C, h, w), with values beyond ±LARGEST replaced by that.

    Minus infinity, with which models rule a class out, becomes -LARGEST. It would not survive being resized:
    it has the weight 0 in some sums, and 0 times infinity is NaN.

    Raises
    ------
    NotFiniteError
        If a score is NaN or infinity, or if all classes of a pixel have minus infinity.

    Examples
    --------
    >>> finite(torch.tensor([1.0, -torch.inf]).view(1, 2, 1, 1)).flatten().tolist() == [1.0, -LARGEST]
    True
    """
    # The sum alone is read from memory once, and is NaN or large if any score is.
    if scores.sum().abs() < LARGEST:
        return scores
    highest = scores.amax(dim=1).flatten(1)
    unusable = ~highest.isfinite()  # the highest of NaN and anything is NaN
    if unusable.any():
        row = int(unusable.any(dim=1).nonzero()[0])
        raise NotFiniteError(_described(float(highest[unusable][0])), row)
    return scores.clamp(-LARGEST, LARGEST)


def _described(value: float) -> str:
    if value == -torch.inf:
        return "-infinity for every class of a pixel"
    return "infinity" if value == torch.inf else "NaN"
