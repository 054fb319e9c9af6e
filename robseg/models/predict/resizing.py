"""How maps of features, scores and labels are resized."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

__all__ = ["resize"]


def resize(x: Tensor, size: Sequence[int], align_corners: bool = False, nearest: bool = False) -> Tensor:
    """Resize maps (N, C, h, w) to the size (H, W), bilinearly or by the nearest neighbour."""
    if x.shape[-2:] == tuple(size):
        return x
    if nearest:
        return F.interpolate(x, tuple(size), mode="nearest-exact")
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=align_corners)
