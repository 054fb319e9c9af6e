"""From a network's answers to labels on a CPU, in one pass over the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robseg.models.card import Card
from robseg.models.predict.kernels import strongest
from robseg.models.predict.sampling import Axis, taps
from robseg.models.predict.sizes import Size, Window, divisible, framed, resized_once, resized_size

__all__ = ["labels_of"]


def labels_of(
    windows: Sequence[Window], answers: Sequence[Tensor], size: Size, card: Card
) -> NDArray[np.uint8]:
    """Return the class of each pixel, uint8 (N, *size).

    They are those of the resampled and averaged scores, but where two classes' scores are equal but for
    rounding.

    Parameters
    ----------
    windows
        The windows of the frame, row by row; or a single one, the resized image.
    answers
        What the network answered for each window, (N, C, h, w), or with card.flip (N, C, h, 2 w): beside it
        what it answered for the mirrored window.
    size
        (H, W) of the images.
    """
    resized = resized_size(size, card)
    frame = framed(resized, card) if card.test_mode == "slide" else resized
    starts = [tuple(sorted({span[axis].start for span in windows})) for axis in (0, 1)]
    window = _lengths(windows[0])
    height, width = answers[0].shape[-2:]
    answer = (height, width // 2 if card.flip else width)
    padded = divisible(window, card)
    if resized_once(resized, card):
        padded = window = frame = resized = size
    rows, columns = (
        Axis(
            answer=answer[axis],
            padded=padded[axis],
            window=window[axis],
            starts=starts[axis],
            mirrored=card.flip and axis == 1,
            frame=frame[axis],
            resized=resized[axis],
            image=size[axis],
            align_corners=card.align_corners,
        )
        for axis in (0, 1)
    )
    return strongest(_tiled(answers, len(starts[0])).numpy(), taps(rows), taps(columns))


def _tiled(answers: Sequence[Tensor], rows: int) -> Tensor:
    """Return the answers of windows as they lie in the frame, in so many rows."""
    if len(answers) == 1:
        return answers[0]
    columns = len(answers) // rows
    return torch.cat(
        [torch.cat(list(answers[first : first + columns]), -1) for first in range(0, len(answers), columns)],
        -2,
    )


def _lengths(window: Window) -> Size:
    return window.rows.stop - window.rows.start, window.columns.stop - window.columns.start
