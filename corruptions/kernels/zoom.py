"""Zoom, and zoom blur: the mean of the image and of the views of a camera that zooms in."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.rows import mix, set_product, take, truncate

__all__ = ["ZoomAxis", "zoom", "zoom_axis", "zoom_blur", "zoom_blurs"]


def zoom_blur(image: NDArray[np.uint8], *, stop: float, step: float) -> NDArray[np.uint8]:
    """Return the mean of the image and of its layers zoomed by 1, 1 + `step`, ... below `stop`."""
    return next(zoom_blurs(image, stop=[stop], step=[step]))


def zoom_blurs(
    image: NDArray[np.uint8], *, stop: Sequence[float], step: Sequence[float]
) -> Iterator[NDArray[np.uint8]]:
    """Yield the image blurred with each `stop` and `step`; a layer that several results need is made once."""
    height, width, channels = image.shape
    zooms = [np.arange(1, last, by) for last, by in zip(stop, step, strict=True)]
    factors = sorted(set(np.concatenate(zooms)) - {1.0})
    used = np.array([[factor in layers for layers in zooms] for factor in factors])
    down = [zoom_axis(height, factor) for factor in factors]
    across = [zoom_axis(width, factor) for factor in factors]
    samples = [(axis.first[:width, None] * channels + np.arange(channels)).ravel() for axis in across]
    blurred = _mean_of_layers(
        image.reshape(height, -1),
        np.stack([axis.first[:height] for axis in down]),
        np.stack([axis.fraction[:height] for axis in down]),
        np.stack(samples).astype(np.uint32),
        np.stack([np.repeat(axis.fraction[:width], channels) for axis in across]),
        used,
        channels,
    )
    return (result.reshape(image.shape) for result in blurred)


class ZoomAxis(NamedTuple):
    """Where the samples of a zoomed line lie: `fraction` of the way from pixel `first` to the next one."""

    first: NDArray[np.int64]
    fraction: NDArray[np.float32]


def zoom_axis(size: int, factor: float) -> ZoomAxis:
    """Return where the samples lie when the middle of a line is zoomed by a factor >= 1.

    The ceil(size / factor) samples in the middle become `factor` times as many, from corner to corner.

    Examples
    --------
    >>> axis = zoom_axis(4, 2)
    >>> (axis.first + axis.fraction).round(2).tolist()
    [1.0, 1.33, 1.67, 2.0]
    """
    crop = math.ceil(size / factor)
    zoomed = round(crop * factor)
    position = np.arange(zoomed) * ((crop - 1) / max(zoomed - 1, 1))
    first = np.minimum(position.astype(np.int64), max(crop - 2, 0))
    return ZoomAxis((size - crop) // 2 + first, (position - first).astype(np.float32))


@kernel
def zoom(plane: NDArray[np.float32], down: ZoomAxis, across: ZoomAxis) -> NDArray[np.float32]:
    """Return a (H, W) plane interpolated linearly at the rows and columns of two axes of `zoom_axis`."""
    height, width = down.first.size, across.first.size
    zoomed = np.empty((height, width), np.float32)
    first = across.first.astype(np.uint32)  # unsigned: see `kernel`
    line = np.empty(plane.shape[1], np.float32)
    for y in range(height):
        above = down.first[y]
        below = min(above + 1, plane.shape[0] - 1)
        mix(plane[above], plane[below], down.fraction[y], line)
        take(line, line[1:], first, across.fraction, zoomed[y])
    return zoomed


@kernel
def _mean_of_layers(
    rows: NDArray[np.uint8],
    above: NDArray[np.int64],
    down: NDArray[np.float32],
    left: NDArray[np.uint32],
    across: NDArray[np.float32],
    used: NDArray[np.bool_],
    channels: int,
) -> NDArray[np.uint8]:
    """Return (results, H, W * C): for each result the mean of the image, counted twice, and of its layers.

    Row y of layer i mixes row above[i, y] with a fraction down[i, y] of the next row. Its sample x mixes
    sample left[i, x] with a fraction across[i, x] of the next sample of the same channel.
    """
    height, size = rows.shape
    layers, results = used.shape
    blurred = np.empty((results, height, size), np.uint8)
    totals, line = np.empty((results, size), np.float32), np.empty(size + channels, np.float32)
    layer = np.empty(size, np.float32)
    for y in range(height):
        for result in range(results):
            # the image itself and its layer of factor 1
            set_product(totals[result], rows[y], np.float32(2))
        for i in range(layers):
            below = min(above[i, y] + 1, height - 1)
            start, stop = np.int64(left[i, 0]), min(np.int64(left[i, size - 1]) + channels + 1, size)
            part = slice(start, stop)
            mix(rows[above[i, y]][part], rows[below][part], down[i, y], line[part])
            take(line, line[channels:], left[i], across[i], layer)
            for result in range(results):
                if used[i, result]:
                    _add(totals[result], layer)
        for result in range(results):
            _scale(totals[result], np.float32(1 / (used[:, result].sum() + 2)))
            truncate(totals[result], blurred[result, y])
    return blurred


@kernel
def _add(total: NDArray[np.float32], layer: NDArray[np.float32]) -> None:
    for i in range(total.size):
        total[i] += layer[i]


@kernel
def _scale(total: NDArray[np.float32], factor: np.float32) -> None:
    for i in range(total.size):
        total[i] *= factor
