"""JPEG compression: the losses of a JPEG file, without writing and reading one.

Colours, chroma at half the resolution, coefficients and their quantisation follow libjpeg step by step in
integers (ITU-T T.81; 4:2:0, the tables of Annex K). The pixels are those of a file that Pillow has written
and read; the lossless coding in between is left out.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.dct import requantize

__all__ = ["jpeg_compression"]

i32 = np.int32  # numba widens sums and products to 64 bits; casting back keeps them in narrow lanes

_LUMA = """
16 11 10 16  24  40  51  61
12 12 14 19  26  58  60  55
14 13 16 24  40  57  69  56
14 17 22 29  51  87  80  62
18 22 37 56  68 109 103  77
24 35 55 64  81 104 113  92
49 64 78 87 103 121 120 101
72 92 95 98 112 100 103  99
"""
_CHROMA = """
17 18 24 47 99 99 99 99
18 21 26 66 99 99 99 99
24 26 56 99 99 99 99 99
47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99
"""


def jpeg_compression(image: NDArray[np.uint8], *, quality: int) -> NDArray[np.uint8]:
    """Return the image that a JPEG file of a quality from 1 to 49 shows."""
    height, width, _channels = image.shape
    below, right = -height % 16, -width % 16
    whole = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else image
    luma, blue, red = _encode(whole.reshape(len(whole), -1))
    last = (height + 1) // 2
    for chroma in (blue, red):
        chroma[last:] = chroma[last - 1]
        requantize(chroma, _steps(_CHROMA, quality))
    requantize(luma, _steps(_LUMA, quality))
    shown = np.empty_like(image)
    chroma_width = (width + 1) // 2
    _decode(luma, blue[:last, :chroma_width], red[:last, :chroma_width], shown.reshape(height, -1))
    return shown


def _steps(table: str, quality: int) -> NDArray[np.int32]:
    """Return the (8, 8) steps of a quality below 50, in libjpeg's integer arithmetic."""
    base = np.array(table.split(), np.int32).reshape(8, 8)
    return np.clip((base * (5000 // quality) + 50) // 100, 1, 255).astype(np.int32)


@kernel
def _encode(
    image: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return luma, and chroma (blue, red) of half the height and width."""
    height, width = image.shape[0], image.shape[1] // 3
    luma = np.empty((height, width), np.uint8)
    blue, red = np.empty((2, height // 2, width // 2), np.uint8)
    blues, reds = np.empty((2, width), np.int32), np.empty((2, width), np.int32)
    for y in range(height // 2):
        for k in range(2):
            _to_luma_and_chroma(image[2 * y + k], luma[2 * y + k], blues[k], reds[k])
        _halve(blues[0], blues[1], blue[y])
        _halve(reds[0], reds[1], red[y])
    return luma, blue, red


@kernel
def _to_luma_and_chroma(
    row: NDArray[np.uint8], luma: NDArray[np.uint8], blue: NDArray[np.int32], red: NDArray[np.int32]
) -> None:
    """Convert a row of RGB, with 16 fractional bits."""
    half, middle, bits = i32(1 << 15), i32((128 << 16) + (1 << 15) - 1), i32(16)
    for x in range(luma.size):
        r, g, b = i32(row[3 * x]), i32(row[3 * x + 1]), i32(row[3 * x + 2])
        luma[x] = i32(i32(i32(19595) * r) + i32(i32(38470) * g) + i32(i32(7471) * b) + half) >> bits
        blue[x] = i32(i32(i32(32768) * b) - i32(i32(11059) * r) - i32(i32(21709) * g) + middle) >> bits
        red[x] = i32(i32(i32(32768) * r) - i32(i32(27439) * g) - i32(i32(5329) * b) + middle) >> bits


@kernel
def _halve(first: NDArray[np.int32], second: NDArray[np.int32], half: NDArray[np.uint8]) -> None:
    """Take means of 2 x 2 samples, rounded down and up in turn."""
    for x in range(half.size):
        four = i32(i32(first[2 * x] + first[2 * x + 1]) + i32(second[2 * x] + second[2 * x + 1]))
        half[x] = i32(four + i32(1 + x % 2)) >> i32(2)


@kernel
def _decode(
    luma: NDArray[np.uint8], blue: NDArray[np.uint8], red: NDArray[np.uint8], image: NDArray[np.uint8]
) -> None:
    """Convert luma and chroma of half the size to RGB."""
    width = blue.shape[1]
    blues, reds = np.empty(2 * width, np.int32), np.empty(2 * width, np.int32)
    sums = np.empty(width, np.int32)
    for y in range(image.shape[0]):
        near = y // 2
        far = min(max(near - 1 + 2 * (y % 2), 0), blue.shape[0] - 1)
        _double(blue[near], blue[far], sums, blues)
        _double(red[near], red[far], sums, reds)
        _to_rgb(luma[y], blues, reds, image[y])


@kernel
def _double(
    near: NDArray[np.uint8], far: NDArray[np.uint8], sums: NDArray[np.int32], wide: NDArray[np.int32]
) -> None:
    """Interpolate a row of chroma, centred at 0: 9/16 from the nearest sample, then 3/16, 3/16 and 1/16."""
    last = sums.size - 1
    three, four, middle = i32(3), i32(4), i32(128)
    for x in range(sums.size):
        sums[x] = i32(three * i32(near[x])) + i32(far[x])
    right = sums[1:]
    for x in range(last):
        wide[2 * x + 1] = i32(i32(i32(three * sums[x]) + right[x] + i32(7)) >> four) - middle
        wide[2 * x + 2] = i32(i32(i32(three * right[x]) + sums[x] + i32(8)) >> four) - middle
    wide[0] = ((four * sums[0] + i32(8)) >> four) - middle
    wide[2 * last + 1] = ((four * sums[last] + i32(7)) >> four) - middle


@kernel
def _to_rgb(
    luma: NDArray[np.uint8], blue: NDArray[np.int32], red: NDArray[np.int32], row: NDArray[np.uint8]
) -> None:
    half, bits = i32(1 << 15), i32(16)
    for x in range(row.size // 3):
        light, b, r = i32(luma[x]), blue[x], red[x]
        row[3 * x] = _level(light + (i32(i32(i32(91881) * r) + half) >> bits))
        row[3 * x + 1] = _level(light + (i32(half - i32(i32(22554) * b) - i32(i32(46802) * r)) >> bits))
        row[3 * x + 2] = _level(light + (i32(i32(i32(116130) * b) + half) >> bits))


@kernel
def _level(light: np.int32) -> np.uint8:
    return np.uint8(min(max(i32(light), i32(0)), i32(255)))
