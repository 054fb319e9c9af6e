"""Predict a large image window by window, and average where windows overlap."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from robseg.models.card import Card
from robseg.models.predict.sizes import framed, windows

__all__ = ["slide"]

# The number of windows in a forward pass; more would need memory and hardly save time.
WINDOWS_AT_ONCE = 4


def slide(score: Callable[[Tensor], Tensor], images: Tensor, card: Card) -> Tensor:
    """Return the mean, at each pixel, of the scores of the windows that contain it.

    `score` maps (M, 3, h, w) to (M, C, h, w); `images` are (N, 3, H, W) and the result is float32
    (N, C, H, W). Memory holds that result and the scores of a few windows.
    """
    count, _, height, width = images.shape
    rows, columns = framed((height, width), card)
    top, left = (rows - height) // 2, (columns - width) // 2
    images = F.pad(images, (left, columns - width - left, top, rows - height - top))
    every = windows((rows, columns), card)
    together = max(WINDOWS_AT_ONCE // count, 1)
    hits = torch.zeros(rows, columns, device=images.device)
    for first in range(0, len(every), together):
        group = every[first : first + together]
        answers = score(torch.cat([images[..., window.rows, window.columns] for window in group]))
        if first == 0:
            total = answers.new_zeros((count, answers.shape[1], rows, columns))
        for window, answer in zip(group, torch.split(answers, count), strict=True):
            total[..., window.rows, window.columns] += answer
            hits[window.rows, window.columns] += 1
    return total.div_(hits)[..., top : top + height, left : left + width]
