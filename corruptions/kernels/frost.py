"""Frost: a photograph of ice on glass, enlarged until it covers the image, and mixed into it.

The photographs are files of the installed `imagecorruptions` (Apache-2.0). As in the reference, the sixth one
is never used, and the transparency of the first three is ignored.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from corruptions.kernels.compiling import kernel
from corruptions.kernels.published import published_folder
from corruptions.kernels.random import Stream, words

__all__ = ["FrostDraws", "draw_frost", "frost"]

_FILES = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
_MARGIN = 1.1  # of the enlarged photograph, so that there is a choice of where to crop
_SHARPNESS = np.float32(-0.75)  # OpenCV's parameter of cubic convolution (Keys, IEEE TASSP 1981)


class FrostDraws(NamedTuple):
    """Which photograph is used, and the first row and column of the part that covers the image."""

    photograph: int
    top: int
    left: int


def frost(
    image: NDArray[np.uint8], *, image_weight: float, frost_weight: float, stream: Stream
) -> NDArray[np.uint8]:
    """Add weighted random frost to the weighted image."""
    height, width, _ = image.shape
    draws = draw_frost(height, width, stream)
    size = _enlarged_size(_photograph(draws.photograph).shape[:2], height, width)
    ice = _enlarged(draws.photograph, size).reshape(size[0], -1)
    frosted = np.empty_like(image)
    _mix(
        image.reshape(height, -1),
        float(image_weight),
        ice[draws.top : draws.top + height, 3 * draws.left : 3 * (draws.left + width)],
        float(frost_weight),
        frosted.reshape(height, -1),
    )
    return frosted


def draw_frost(height: int, width: int, stream: Stream) -> FrostDraws:
    """Draw a photograph and a place in it, all equally likely."""
    first, second, third = (int(word) for word in words(stream, 3))
    photograph = first * len(_FILES) >> 32
    rows, columns = _enlarged_size(_photograph(photograph).shape[:2], height, width)
    return FrostDraws(photograph, second * (rows - height) >> 32, third * (columns - width) >> 32)


def _enlarged_size(size: tuple[int, ...], height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of a photograph enlarged to cover the image with some margin."""
    scale = max(1.0, height / size[0], width / size[1]) * _MARGIN
    return math.ceil(size[0] * scale), math.ceil(size[1] * scale)


@lru_cache(maxsize=len(_FILES))
def _photograph(number: int) -> NDArray[np.uint8]:
    with Image.open(published_folder() / "frost" / _FILES[number], formats=("JPEG", "PNG")) as file:
        return np.array(file.convert("RGB"))


@lru_cache(maxsize=2 * len(_FILES))  # images of one size, lying and standing
def _enlarged(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a photograph enlarged by cubic convolution, as OpenCV does it."""
    photograph = _photograph(number)
    rows, row_weights = _taps(photograph.shape[0], size[0])
    columns, column_weights = _taps(photograph.shape[1], size[1])
    enlarged = np.empty((*size, 3), np.uint8)
    flat = photograph.reshape(len(photograph), -1)
    _interpolate(flat, rows, row_weights, columns, column_weights, enlarged.reshape(size[0], -1))
    return enlarged


def _taps(side: int, enlarged: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Return the four source pixels of every pixel of an enlarged side, and their weights: (4, enlarged)."""
    places = (np.arange(enlarged) + 0.5) * (side / enlarged) - 0.5
    first = np.floor(places)
    offset = (places - first).astype(np.float32)
    pixels = np.clip(first + np.arange(-1, 3)[:, np.newaxis], 0, side - 1).astype(np.uint32)
    before, after = _near(offset), _near(1 - offset)
    far = _far(offset + 1)
    return pixels, np.stack([far, before, after, 1 - far - before - after])


def _near(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weight of a pixel at a distance of up to 1."""
    return ((_SHARPNESS + 2) * distance - (_SHARPNESS + 3)) * distance**2 + 1


def _far(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weight of a pixel at a distance from 1 to 2."""
    return _SHARPNESS * (((distance - 5) * distance + 8) * distance - 4)


@kernel
def _interpolate(
    image: NDArray[np.uint8],
    rows: NDArray[np.uint32],
    row_weights: NDArray[np.float32],
    columns: NDArray[np.uint32],
    column_weights: NDArray[np.float32],
    enlarged: NDArray[np.uint8],
) -> None:
    """Mix four rows, then four columns of the mixture, for every output row; round to the nearest level."""
    mixed = np.empty(image.shape[1], np.float32)
    for y in range(rows.shape[1]):
        first, second = image[rows[0, y]], image[rows[1, y]]
        third, fourth = image[rows[2, y]], image[rows[3, y]]
        a, b, c, d = row_weights[0, y], row_weights[1, y], row_weights[2, y], row_weights[3, y]
        for i in range(mixed.size):
            mixed[i] = (
                a * np.float32(first[i])
                + b * np.float32(second[i])
                + c * np.float32(third[i])
                + d * np.float32(fourth[i])
            )
        out = enlarged[y]
        for x in range(columns.shape[1]):
            for channel in range(3):
                level = np.float32(0.5)
                for k in range(4):
                    level += column_weights[k, x] * mixed[np.uint32(3) * columns[k, x] + np.uint32(channel)]
                out[3 * x + channel] = np.uint8(np.int32(min(max(level, np.float32(0)), np.float32(255))))


@kernel
def _mix(
    image: NDArray[np.uint8],
    image_weight: float,
    ice: NDArray[np.uint8],
    ice_weight: float,
    frosted: NDArray[np.uint8],
) -> None:
    """Truncate the weighted sum, in float64: its last bits decide where it is close to an integer."""
    for y in range(image.shape[0]):
        row, cover, out = image[y], ice[y], frosted[y]
        for i in range(row.size):
            level = image_weight * np.float64(row[i]) + ice_weight * np.float64(cover[i])
            out[i] = np.uint8(np.int32(min(level, 255.0)))
