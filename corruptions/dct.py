"""What JPEG does to a plane of samples: transform blocks of 8 x 8, round the coefficients, transform back.

The transforms are the exact integer ones of libjpeg ("islow"): Loeffler, Ligtenberg & Moschytz, ICASSP 1989.
Blocks that lie side by side are transformed together: their samples are kept by row and column in the
block, each a line of LANES numbers, so that every step is one loop over a line. Where eight lines lie is a
constant of the kernel: so the compiler sees that they do not overlap.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.compiling import kernel

__all__ = ["requantize"]

LANES = 32  # blocks that are transformed together

_BITS = 13  # behind the point of the constants
_EXTRA = 2  # that are kept between the two directions
_C0_298, _C0_390, _C0_541, _C0_765 = 2446, 3196, 4433, 6270
_C0_899, _C1_175, _C1_501, _C1_847 = 7373, 9633, 12299, 15137
_C1_961, _C2_053, _C2_562, _C3_072 = 16069, 16819, 20995, 25172

Samples = NDArray[np.int32]


@kernel
def requantize(plane: NDArray[np.uint8], steps: NDArray[np.int32]) -> None:
    """Round the coefficients of all blocks of a plane to multiples of the (8, 8) steps, in place.

    The plane's sides are multiples of 8.
    """
    samples = np.zeros(64 * LANES, np.int32)
    for top in range(0, plane.shape[0], 8):
        for left in range(0, plane.shape[1], 8 * LANES):
            for y in range(8):
                row = plane[top + y, left : left + 8 * LANES]
                _take_apart(row, samples[8 * y * LANES :])
                _forward_row(samples[8 * y * LANES :])
            for x in range(8):
                _forward_column(samples[x * LANES :])
            for k in range(64):
                _round(samples[k * LANES : (k + 1) * LANES], steps[k // 8, k % 8])
            for x in range(8):
                _inverse_column(samples[x * LANES :])
            for y in range(8):
                _inverse_row(samples[8 * y * LANES :])
                row = plane[top + y, left : left + 8 * LANES]
                _put_together(samples[8 * y * LANES :], row)


@kernel
def _take_apart(row: NDArray[np.uint8], samples: Samples) -> None:
    """Centre a row of the image and sort its samples by their column in the block."""
    for i in range(row.size // 8):
        for x in range(8):
            samples[x * LANES + i] = np.int32(row[8 * i + x]) - np.int32(128)


@kernel
def _put_together(samples: Samples, row: NDArray[np.uint8]) -> None:
    for i in range(row.size // 8):
        for x in range(8):
            row[8 * i + x] = _level(samples[x * LANES + i])


@kernel
def _level(sample: np.int32) -> np.uint8:
    return np.uint8(min(max(sample + np.int32(128), np.int32(0)), np.int32(255)))


@kernel
def _scaled(number: np.int32, bits: np.int32) -> np.int32:
    """Return number / 2**bits, rounded."""
    return (number + (np.int32(1) << (bits - np.int32(1)))) >> bits


@kernel
def _even_part(
    a: np.int32, b: np.int32, c: np.int32, d: np.int32
) -> tuple[np.int32, np.int32, np.int32, np.int32]:
    """Return coefficients 0 and 4, and 2 and 6 with _BITS more bits."""
    outer, inner, p, q = a + d, b + c, a - d, b - c
    z = (q + p) * np.int32(_C0_541)
    return outer + inner, outer - inner, z + p * np.int32(_C0_765), z - q * np.int32(_C1_847)


@kernel
def _odd_part(
    a: np.int32, b: np.int32, c: np.int32, d: np.int32
) -> tuple[np.int32, np.int32, np.int32, np.int32]:
    """Return the odd half of a transform, with _BITS more bits; it is the same in both directions."""
    z1, z2, z3, z4 = a + d, b + c, a + c, b + d
    z5 = (z3 + z4) * np.int32(_C1_175)
    z1, z2 = z1 * np.int32(-_C0_899), z2 * np.int32(-_C2_562)
    z3, z4 = z3 * np.int32(-_C1_961) + z5, z4 * np.int32(-_C0_390) + z5
    return (
        a * np.int32(_C0_298) + z1 + z3,
        b * np.int32(_C2_053) + z2 + z4,
        c * np.int32(_C3_072) + z2 + z3,
        d * np.int32(_C1_501) + z1 + z4,
    )


def _forward(step: int, rows: bool) -> Callable[..., Any]:
    """Return the transform of eight lines that lie `step` apart; rows come first and keep _EXTRA bits."""
    bits = _BITS - _EXTRA if rows else _BITS + _EXTRA

    @kernel
    def transform(line: Samples) -> None:
        for i in range(LANES):
            a, b, c, d = line[i], line[i + step], line[i + 2 * step], line[i + 3 * step]
            h, g, f, e = line[i + 7 * step], line[i + 6 * step], line[i + 5 * step], line[i + 4 * step]
            first, fifth, third, seventh = _even_part(a + h, b + g, c + f, d + e)
            eighth, sixth, fourth, second = _odd_part(d - e, c - f, b - g, a - h)
            line[i] = first << np.int32(_EXTRA) if rows else _scaled(first, np.int32(_EXTRA))
            line[i + step] = _scaled(second, np.int32(bits))
            line[i + 2 * step] = _scaled(third, np.int32(bits))
            line[i + 3 * step] = _scaled(fourth, np.int32(bits))
            line[i + 4 * step] = fifth << np.int32(_EXTRA) if rows else _scaled(fifth, np.int32(_EXTRA))
            line[i + 5 * step] = _scaled(sixth, np.int32(bits))
            line[i + 6 * step] = _scaled(seventh, np.int32(bits))
            line[i + 7 * step] = _scaled(eighth, np.int32(bits))

    return transform


def _inverse(step: int, bits: int) -> Callable[..., Any]:
    """Return the transform of eight lines of coefficients back; it drops `bits` bits."""

    @kernel
    def transform(line: Samples) -> None:
        for i in range(LANES):
            a, c, e, g = line[i], line[i + 2 * step], line[i + 4 * step], line[i + 6 * step]
            z = (c + g) * np.int32(_C0_541)
            low, high = z - g * np.int32(_C1_847), z + c * np.int32(_C0_765)
            plus, minus = (a + e) << np.int32(_BITS), (a - e) << np.int32(_BITS)
            first, second, third, fourth = plus + high, minus + low, minus - low, plus - high
            s, r, q, p = _odd_part(line[i + 7 * step], line[i + 5 * step], line[i + 3 * step], line[i + step])
            line[i] = _scaled(first + p, np.int32(bits))
            line[i + step] = _scaled(second + q, np.int32(bits))
            line[i + 2 * step] = _scaled(third + r, np.int32(bits))
            line[i + 3 * step] = _scaled(fourth + s, np.int32(bits))
            line[i + 4 * step] = _scaled(fourth - s, np.int32(bits))
            line[i + 5 * step] = _scaled(third - r, np.int32(bits))
            line[i + 6 * step] = _scaled(second - q, np.int32(bits))
            line[i + 7 * step] = _scaled(first - p, np.int32(bits))

    return transform


@kernel
def _round(coefficients: Samples, step: np.int32) -> None:
    """Round to multiples of a step; coefficients come eight times too large and leave as they should be."""
    half, inverse = np.float32(4 * step) + np.float32(0.5), np.float32(1) / np.float32(8 * step)
    for i in range(coefficients.size):
        size = np.int32((np.float32(abs(coefficients[i])) + half) * inverse) * step
        coefficients[i] = -size if coefficients[i] < 0 else size


_forward_row, _forward_column = _forward(LANES, True), _forward(8 * LANES, False)
_inverse_row, _inverse_column = _inverse(LANES, _BITS + _EXTRA + 3), _inverse(8 * LANES, _BITS - _EXTRA)
