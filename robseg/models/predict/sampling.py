"""Which of a network's answers make up the score of each pixel of an image, and with which weights.

Resizing bilinearly, cropping, mirroring and averaging windows are linear, and do the same to every row and to
every column. So all of them together are one weighted sum along y and one along x.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Axis", "Taps", "taps"]


class Taps(NamedTuple):
    """For each of L places, the T places of the input that make it up, (T, L), and their weights, (T, L).

    Places that need fewer repeat their first one with the weight 0.
    """

    source: NDArray[np.uint32]
    weight: NDArray[np.float32]


class Axis(NamedTuple):
    """What happens along an axis, from the answers to the image. All lengths are in pixels.

    Attributes
    ----------
    answer
        The length of each answer of the network. The answers lie side by side: for each window its own and,
        if it was mirrored, the one for its mirror image.
    padded
        The length of the network's input, to which an answer is resized first.
    window
        The length of a window, to which it is then cropped.
    starts
        Where the windows begin in the frame.
    mirrored
        Whether there are answers for mirror images.
    frame
        The length of the frame, which all windows together cover.
    resized
        The length of the resized image, in the middle of the frame.
    image
        The length of the image, to which this is resized last.
    align_corners
        How both are resized.
    """

    answer: int
    padded: int
    window: int
    starts: tuple[int, ...]
    mirrored: bool
    frame: int
    resized: int
    image: int
    align_corners: bool


@functools.lru_cache(maxsize=64)
def taps(axis: Axis) -> Taps:
    """Return what makes up each place of an image along an axis.

    Examples
    --------
    >>> found = taps(Axis(2, 4, 4, (0,), False, 4, 4, 4, align_corners=False))
    >>> found.source.tolist(), found.weight.tolist()
    ([[0, 0, 0, 1], [0, 1, 1, 1]], [[1.0, 0.75, 0.25, 1.0], [0.0, 0.25, 0.75, 0.0]])
    """
    seen = _resizing(axis.answer, axis.padded, axis.align_corners)[: axis.window]
    if axis.mirrored:
        seen = sparse.hstack([seen, seen[::-1]], "csr")
    total = sparse.hstack([_placed(seen, start, axis.frame) for start in axis.starts], "csr")
    mean = sparse.diags_array(1 / total.sum(axis=1)) @ total
    offset = (axis.frame - axis.resized) // 2
    mean = mean[offset : offset + axis.resized]
    return _as_taps(_resizing(axis.resized, axis.image, axis.align_corners) @ mean)


def _resizing(before: int, after: int, align_corners: bool) -> sparse.csr_array:
    """Return the matrix (after, before) that resizes as torch.nn.functional.interpolate does, bilinearly."""
    place = np.arange(after)
    if align_corners:
        source = place * ((before - 1) / max(after - 1, 1))
    else:
        source = ((place + 0.5) * (before / after) - 0.5).clip(0, before - 1)
    low = source.astype(int)
    high = np.minimum(low + 1, before - 1)
    share = source - low
    weights, columns = np.concatenate([1 - share, share]), np.concatenate([low, high])
    return sparse.csr_array((weights, (np.tile(place, 2), columns)), shape=(after, before))


def _placed(window: sparse.csr_array, start: int, frame: int) -> sparse.csr_array:
    """Return a window's matrix with empty rows before and after it."""
    length, width = window.shape
    before, after = (sparse.csr_array((rows, width)) for rows in (start, frame - start - length))
    return sparse.vstack([before, window, after], "csr")


def _as_taps(matrix: sparse.csr_array) -> Taps:
    matrix = sparse.csr_array(matrix)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    counts = np.diff(matrix.indptr)
    place = np.repeat(np.arange(len(counts)), counts)
    tap = np.arange(len(place)) - np.repeat(matrix.indptr[:-1], counts)
    first = matrix.indices[matrix.indptr[:-1]]
    source = np.tile(first, (counts.max(), 1)).astype(np.uint32)
    weight = np.zeros(source.shape, np.float32)
    source[tap, place], weight[tap, place] = matrix.indices, matrix.data
    return Taps(source, weight)
