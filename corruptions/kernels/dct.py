"""The lossy step of JPEG: transform blocks of 8 x 8 samples, round the coefficients, transform back.

The transforms are libjpeg's exact integer ones ("islow"): Loeffler, Ligtenberg & Moschytz, ICASSP 1989.
Neighbouring blocks are transformed together. Their samples are sorted by row and column in the block, each a
line of LANES numbers, so that every step is one loop over a line. The distances between the lines are
constants of the kernel, which tells the compiler that the lines do not overlap. Numba widens 32-bit sums and
products to 64 bits; casting each one back keeps it in lanes of 32 bits, of which a vector holds twice as
many.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = ["requantize"]

i32 = np.int32

LANES = 32  # blocks that are transformed together

_BITS = 13  # fractional bits of the constants
_EXTRA = 2  # fractional bits that are kept between the two directions
_C0_298, _C0_390, _C0_541, _C0_765 = i32(2446), i32(3196), i32(4433), i32(6270)
_C0_899, _C1_175, _C1_501, _C1_847 = i32(7373), i32(9633), i32(12299), i32(15137)
_C1_961, _C2_053, _C2_562, _C3_072 = i32(16069), i32(16819), i32(20995), i32(25172)

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
                _round(samples[k * LANES :], steps[k // 8, k % 8])
            for x in range(8):
                _inverse_column(samples[x * LANES :])
            for y in range(8):
                _inverse_row(samples[8 * y * LANES :])
                row = plane[top + y, left : left + 8 * LANES]
                _put_together(samples[8 * y * LANES :], row)


@kernel
def _take_apart(row: NDArray[np.uint8], samples: Samples) -> None:
    """Centre a row of the image around 0 and sort its samples by their column in the block."""
    for i in range(row.size // 8):
        for x in range(8):
            samples[x * LANES + i] = i32(row[8 * i + x]) - i32(128)


@kernel
def _put_together(samples: Samples, row: NDArray[np.uint8]) -> None:
    for i in range(row.size // 8):
        for x in range(8):
            row[8 * i + x] = _level(samples[x * LANES + i])


@kernel
def _level(sample: np.int32) -> np.uint8:
    return np.uint8(min(max(i32(sample + i32(128)), i32(0)), i32(255)))


@kernel
def _scaled(number: np.int32, bits: np.int32) -> np.int32:
    """Return number / 2**bits, rounded."""
    return i32(i32(number + (i32(1) << (bits - i32(1)))) >> bits)


@kernel
def _even_part(
    a: np.int32, b: np.int32, c: np.int32, d: np.int32
) -> tuple[np.int32, np.int32, np.int32, np.int32]:
    """Return coefficients 0 and 4, and 2 and 6 with _BITS more bits."""
    outer, inner, p, q = i32(a + d), i32(b + c), i32(a - d), i32(b - c)
    z = i32(i32(q + p) * _C0_541)
    return i32(outer + inner), i32(outer - inner), i32(z + i32(p * _C0_765)), i32(z - i32(q * _C1_847))


@kernel
def _odd_part(
    a: np.int32, b: np.int32, c: np.int32, d: np.int32
) -> tuple[np.int32, np.int32, np.int32, np.int32]:
    """Return the odd half of a transform, with _BITS more bits; it is the same in both directions."""
    z1, z2, z3, z4 = i32(a + d), i32(b + c), i32(a + c), i32(b + d)
    z5 = i32(i32(z3 + z4) * _C1_175)
    z1, z2 = i32(z1 * -_C0_899), i32(z2 * -_C2_562)
    z3, z4 = i32(i32(z3 * -_C1_961) + z5), i32(i32(z4 * -_C0_390) + z5)
    return (
        i32(i32(a * _C0_298) + i32(z1 + z3)),
        i32(i32(b * _C2_053) + i32(z2 + z4)),
        i32(i32(c * _C3_072) + i32(z2 + z3)),
        i32(i32(d * _C1_501) + i32(z1 + z4)),
    )


def _forward(step: int, rows: bool) -> Callable[..., Any]:
    """Return the transform of eight lines `step` apart; rows are transformed first and keep _EXTRA bits."""
    bits, extra = i32(_BITS - _EXTRA if rows else _BITS + _EXTRA), i32(_EXTRA)

    @kernel
    def transform(line: Samples) -> None:
        for i in range(LANES):
            a, b, c, d = line[i], line[i + step], line[i + 2 * step], line[i + 3 * step]
            h, g, f, e = line[i + 7 * step], line[i + 6 * step], line[i + 5 * step], line[i + 4 * step]
            first, fifth, third, seventh = _even_part(i32(a + h), i32(b + g), i32(c + f), i32(d + e))
            eighth, sixth, fourth, second = _odd_part(i32(d - e), i32(c - f), i32(b - g), i32(a - h))
            line[i] = first << extra if rows else _scaled(first, extra)
            line[i + step] = _scaled(second, bits)
            line[i + 2 * step] = _scaled(third, bits)
            line[i + 3 * step] = _scaled(fourth, bits)
            line[i + 4 * step] = fifth << extra if rows else _scaled(fifth, extra)
            line[i + 5 * step] = _scaled(sixth, bits)
            line[i + 6 * step] = _scaled(seventh, bits)
            line[i + 7 * step] = _scaled(eighth, bits)

    return transform


def _inverse(step: int, dropped: int) -> Callable[..., Any]:
    """Return the inverse transform of eight lines of coefficients, which drops some fractional bits."""
    bits, more = i32(dropped), i32(_BITS)

    @kernel
    def transform(line: Samples) -> None:
        for i in range(LANES):
            a, c, e, g = line[i], line[i + 2 * step], line[i + 4 * step], line[i + 6 * step]
            z = i32(i32(c + g) * _C0_541)
            low, high = i32(z - i32(g * _C1_847)), i32(z + i32(c * _C0_765))
            plus, minus = i32(i32(a + e) << more), i32(i32(a - e) << more)
            first, second, third, fourth = (
                i32(plus + high),
                i32(minus + low),
                i32(minus - low),
                i32(plus - high),
            )
            s, r, q, p = _odd_part(line[i + 7 * step], line[i + 5 * step], line[i + 3 * step], line[i + step])
            line[i] = _scaled(i32(first + p), bits)
            line[i + step] = _scaled(i32(second + q), bits)
            line[i + 2 * step] = _scaled(i32(third + r), bits)
            line[i + 3 * step] = _scaled(i32(fourth + s), bits)
            line[i + 4 * step] = _scaled(i32(fourth - s), bits)
            line[i + 5 * step] = _scaled(i32(third - r), bits)
            line[i + 6 * step] = _scaled(i32(second - q), bits)
            line[i + 7 * step] = _scaled(i32(first - p), bits)

    return transform


@kernel
def _round(coefficients: Samples, step: np.int32) -> None:
    """Round to multiples of a step; the coefficients come in eight times too large and leave unscaled."""
    half, inverse = np.float32(4 * step) + np.float32(0.5), np.float32(1) / np.float32(8 * step)
    for i in range(LANES):
        coefficient = coefficients[i]
        size = i32(i32((np.float32(i32(abs(coefficient))) + half) * inverse) * step)
        coefficients[i] = i32(-size) if coefficient < i32(0) else size


_forward_row, _forward_column = _forward(LANES, True), _forward(8 * LANES, False)
_inverse_row, _inverse_column = _inverse(LANES, _BITS + _EXTRA + 3), _inverse(8 * LANES, _BITS - _EXTRA)
