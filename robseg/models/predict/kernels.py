"""The passes over all pixels of an image that prediction on a CPU needs, compiled.

torch has an operation for each step and writes each one's result to memory: for 19 classes at 1024x2048, the
resized scores alone are 160 MB. These kernels go from one row of the image to the next and keep only that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from robseg.models.predict.sampling import Taps

__all__ = ["compile_kernels", "normalised", "strongest"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Ints = NDArray[np.uint32]
Classes = NDArray[np.int32]


def normalised(images: Bytes, mean: Sequence[float], std: Sequence[float]) -> Floats:
    """Return (image - mean) / std by channel, float32 (N, H, W, 3), of images (N, H, W, 3)."""
    count, height, width, _ = images.shape
    out = np.empty(images.shape, np.float32)
    _normalise(
        np.ascontiguousarray(images).reshape(count * height, width * 3),
        np.tile(np.array(mean, np.float32), width),
        np.tile(np.array(std, np.float32), width),
        out.reshape(count * height, width * 3),
    )
    return out


def strongest(scores: Floats, rows: Taps, columns: Taps) -> Bytes:
    """Return the class with the highest resampled score at each pixel, uint8 (N, H, W).

    Of classes with equal scores it is the first.

    Parameters
    ----------
    scores
        The scores of at most 256 classes, (N, C, h, w).
    rows, columns
        Which rows of `scores` make up each of the H rows, and which columns each of the W columns.
    """
    out = np.empty((len(scores), rows.source.shape[1], columns.source.shape[1]), np.uint8)
    for image, labels in zip(scores, out, strict=True):
        _strongest(image, *rows, *columns, labels)
    return out


def compile_kernels() -> None:
    """Compile the kernels, for scores that lie class by class in memory or pixel by pixel."""
    both = Taps(np.zeros((2, 1), np.uint32), np.full((2, 1), 0.5, np.float32))
    by_pixel = np.zeros((1, 2, 2, 3), np.float32).transpose(0, 3, 1, 2)
    for scores in (by_pixel, np.ascontiguousarray(by_pixel)):
        strongest(scores, both, both)
    normalised(np.zeros((1, 2, 2, 3), np.uint8), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@kernel
def _normalise(images: Bytes, mean: Floats, std: Floats, out: Floats) -> None:
    for y in range(images.shape[0]):
        row, made = images[y], out[y]
        for x in range(row.size):
            made[x] = (np.float32(row[x]) - mean[x]) / std[x]


@kernel
def _strongest(
    scores: Floats, row: Ints, row_weight: Floats, column: Ints, column_weight: Floats, out: Bytes
) -> None:
    taps, width = row.shape[0], column.shape[1]
    narrow = np.empty(scores.shape[2], np.float32)  # a row of scores, without the other classes between them
    wide = np.empty((taps, scores.shape[0], width), np.float32)  # rows of scores, resampled along x
    held = np.empty(taps, np.int64)  # which rows these are
    place = np.empty(taps, np.int64)  # where in `wide` the row of each tap is
    score, best = np.empty(width, np.float32), np.empty(width, np.float32)
    label = np.empty(width, np.int32)  # as wide as a float, so that both are compared and chosen together
    _fill(held, -1)
    for y in range(out.shape[0]):
        for tap in range(taps):
            place[tap] = _find(held, row[tap, y])
            if place[tap] < 0:
                place[tap] = _unneeded(held, row[:, y])
                held[place[tap]] = row[tap, y]
                for c in range(scores.shape[0]):
                    scores_of_row, out_row = scores[c, row[tap, y]], wide[place[tap], c]
                    if column.shape[0] == 1:
                        _take(scores_of_row, column[0], column_weight[0], out_row)
                    else:
                        _copy(scores_of_row, narrow)
                        _resample(narrow, column, column_weight, out_row)
        _fill(best, -np.inf)
        _fill(label, 0)
        for c in range(scores.shape[0]):
            if taps == 2:  # the usual case
                first, second = wide[place[0], c], wide[place[1], c]
                _challenge_with_sum(
                    first, row_weight[0, y], second, row_weight[1, y], np.int32(c), best, label
                )
            else:
                _fill(score, 0)
                for tap in range(taps):
                    _add(wide[place[tap], c], row_weight[tap, y], score)
                _challenge(score, np.int32(c), best, label)
        _copy(label, out[y])


# Assigning to a slice does the same, but takes numba a second to compile.
@kernel
def _fill(out: NDArray[Any], value: float) -> None:
    for x in range(out.size):
        out[x] = value


@kernel
def _copy(row: NDArray[Any], out: NDArray[Any]) -> None:
    for x in range(out.size):
        out[x] = row[x]


@kernel
def _find(held: NDArray[np.int64], wanted: int) -> int:
    for place in range(held.size):
        if held[place] == wanted:
            return place
    return -1


@kernel
def _unneeded(held: NDArray[np.int64], needed: Ints) -> int:
    for place in range(held.size):
        used = False
        for wanted in needed:
            used |= held[place] == np.int64(wanted)
        if not used:
            return place
    return -1


@kernel
def _resample(row: Floats, column: Ints, weight: Floats, out: Floats) -> None:
    _sum_of_places(row, column[0], weight[0], column[1], weight[1], out)
    for tap in range(2, column.shape[0]):
        _add_places(row, column[tap], weight[tap], out)


@kernel
def _take(row: Floats, at: Ints, weight: Floats, out: Floats) -> None:
    for x in range(out.size):
        out[x] = weight[x] * row[at[x]]


@kernel
def _sum_of_places(row: Floats, at: Ints, weight: Floats, then: Ints, other: Floats, out: Floats) -> None:
    for x in range(out.size):
        out[x] = weight[x] * row[at[x]] + other[x] * row[then[x]]


@kernel
def _add_places(row: Floats, at: Ints, weight: Floats, out: Floats) -> None:
    for x in range(out.size):
        out[x] += weight[x] * row[at[x]]


@kernel
def _add(row: Floats, weight: np.float32, out: Floats) -> None:
    for x in range(out.size):
        out[x] += weight * row[x]


@kernel
def _challenge(score: Floats, c: np.int32, best: Floats, label: Classes) -> None:
    for x in range(score.size):
        higher = score[x] > best[x]
        best[x] = score[x] if higher else best[x]
        label[x] = c if higher else label[x]


@kernel
def _challenge_with_sum(
    first: Floats,
    weight: np.float32,
    second: Floats,
    other: np.float32,
    c: np.int32,
    best: Floats,
    label: Classes,
) -> None:
    for x in range(best.size):
        score = weight * first[x] + other * second[x]
        higher = score > best[x]
        best[x] = score if higher else best[x]
        label[x] = c if higher else label[x]
