"""Zoom blur: the mean of the image and of what a camera sees while it zooms in."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.gaussian import zoom_axis
from corruptions.kernels.random import Stream
from corruptions.kernels.rows import mix, set_product, take, truncate
from corruptions.registry import Parameters

__all__ = ["zoom_blur", "zoom_blurs"]


def zoom_blur(image: NDArray[np.uint8], parameters: Parameters, _: Stream) -> NDArray[np.uint8]:
    """Return the mean of the image and of its layers zoomed by `step` more each, below `stop`."""
    return next(zoom_blurs(image, [parameters], [_]))


def zoom_blurs(
    image: NDArray[np.uint8], parameters: Sequence[Parameters], _: Sequence[Stream]
) -> Iterator[NDArray[np.uint8]]:
    """Yield the image zoom-blurred by each of the parameters; a layer that several need is made once."""
    height, width, channels = image.shape
    zooms = [np.arange(1, row["stop"], row["step"]) for row in parameters]
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
    """Return (results, H, W * C) means of the image, twice, and of its zoomed layers that each result uses.

    Row y of layer i is mixed of the rows above[i, y] and the next with the fraction down[i, y] of the
    latter; its samples of the samples left[i, x] and the same channel's next with the fraction across[i, x].
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
