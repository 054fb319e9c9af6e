"""Predict a large image window by window, and average where windows overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from robseg.models.card import Card
from robseg.models.predict.sizes import Window, framed, windows

__all__ = ["by_window", "slide"]

# The number of windows in a forward pass; more would need memory and hardly save time.
WINDOWS_AT_ONCE = 4


def slide(score: Callable[[Tensor], Tensor], images: Tensor, card: Card) -> Tensor:
    """Return the mean, at each pixel, of the scores of the windows that contain it.

    `score` maps (M, 3, h, w) to (M, C, h, w); `images` are (N, 3, H, W) and the result is float32
    (N, C, H, W). Memory holds that result and the scores of a few windows.
    """
    height, width = images.shape[-2:]
    rows, columns = framed((height, width), card)
    hits = torch.zeros(rows, columns, device=images.device)
    for index, (window, answer) in enumerate(by_window(score, images, card)):
        if index == 0:
            total = answer.new_zeros((*answer.shape[:2], rows, columns))
        total[..., window.rows, window.columns] += answer
        hits[window.rows, window.columns] += 1
    top, left = (rows - height) // 2, (columns - width) // 2
    return total.div_(hits)[..., top : top + height, left : left + width]


def by_window(
    score: Callable[[Tensor], Tensor], images: Tensor, card: Card
) -> Iterator[tuple[Window, Tensor]]:
    """Yield windows row by row and their scores (N, C, h, w); without sliding, the only one is the image."""
    if card.test_mode == "whole":
        yield Window(slice(0, images.shape[-2]), slice(0, images.shape[-1])), score(images)
        return
    count, _, height, width = images.shape
    rows, columns = framed((height, width), card)
    top, left = (rows - height) // 2, (columns - width) // 2
    images = F.pad(images, (left, columns - width - left, top, rows - height - top))
    every = windows((rows, columns), card)
    together = max(WINDOWS_AT_ONCE // count, 1)
    for first in range(0, len(every), together):
        group = every[first : first + together]
        answers = score(torch.cat([images[..., window.rows, window.columns] for window in group]))
        yield from zip(group, torch.split(answers, count), strict=True)
