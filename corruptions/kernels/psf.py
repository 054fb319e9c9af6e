"""Blur by a lens whose aberrations grow from the middle of the image to its corners.

The lens is described by Seidel's wavefront aberrations; the point-spread function (PSF) of a place in the
image is the squared magnitude of the Fourier transform of its pupil (Goodman, Introduction to Fourier Optics,
2005, section 6.4). PSFs are computed on a grid of 9 x 9 places. Every pixel is blurred with the PSFs of the
four places around it, mixed by distance, so the blur has no seams. All weights are integers and all sums are
exact, so results are the same on every machine and a flat image stays exactly flat.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = ["Aberrations", "psf", "psf_bank", "psf_blur"]

PLACES = 9  # per axis, from edge to edge; odd, so that one is the middle
RADIUS = 15  # pixels of a PSF on each side of its centre; light beyond is left out
GRID = 128  # samples per axis of the pupil's plane
PUPIL_RADIUS = 32  # samples; with GRID it makes a pixel two samples wide in the image plane
WAVELENGTHS = (0.85, 1.0, 1.15)  # relative; one alone would show rings that white light does not
KEPT_ENERGY = 0.95  # the faintest samples, which share the rest, are dropped
SUM = 1 << 12  # of the integer weights of a PSF
STEPS = 1 << 4  # of mixing two PSFs; float32 holds every integer up to 255 * SUM * STEPS exactly
UNROLLED = 4  # weights that are applied at a time


class Aberrations(NamedTuple):
    """A lens, in waves at the edge of the pupil.

    `defocus` is the same everywhere; `curvature` (more defocus), `astigmatism` and `coma` grow from nothing
    in the middle of the image to these values in its corners.
    """

    defocus: float
    curvature: float
    astigmatism: float
    coma: float


def psf_blur(
    image: NDArray[np.uint8], *, defocus: float, curvature: float, astigmatism: float, coma: float
) -> NDArray[np.uint8]:
    """Blur a (H, W, 3) image with the lens of these `Aberrations`; the border is mirrored."""
    height, width = image.shape[:2]
    bank = psf_bank(height, width, Aberrations(defocus, curvature, astigmatism, coma))
    padded = np.pad(image, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="symmetric")
    blurred = np.empty((height, width * 3), np.uint8)
    _blur(
        padded.reshape(len(padded), -1).astype(np.float32),
        bank,
        _edges(height),
        _edges(width),
        blurred,
    )
    return blurred.reshape(image.shape)


def psf(place: tuple[float, float], lens: Aberrations) -> NDArray[np.float64]:
    """Return the (31, 31) point-spread function at a place of the image, in pixels; its sum is 1.

    `place` is (row, column) from the middle of the image, in half diagonals.
    """
    energy = np.sum([_energy(place, lens, wavelength) for wavelength in WAVELENGTHS], axis=0)
    # a pixel is two samples wide: it sees its own sample and half of both neighbours
    for _ in range(2):
        energy = (energy + (np.roll(energy, 1, 0) + np.roll(energy, -1, 0)) / 2).T
    inside = slice(GRID // 4 - RADIUS, GRID // 4 + RADIUS + 1)
    window = energy[::2, ::2][inside, inside]
    return _without_the_faintest(window / window.sum())


@lru_cache(maxsize=32)  # 150 KB each
def psf_bank(height: int, width: int, lens: Aberrations) -> NDArray[np.int16]:
    """Return the (9, 9, 31, 31) integer weights of an image's places; those of a PSF add up to SUM."""
    half_diagonal = np.hypot(height, width) / 2
    middle = PLACES // 2
    quarter = np.array(
        [
            [
                _integers(
                    psf(
                        (
                            row / middle * height / 2 / half_diagonal,
                            column / middle * width / 2 / half_diagonal,
                        ),
                        lens,
                    )
                )
                for column in range(middle + 1)
            ]
            for row in range(middle + 1)
        ]
    )
    # the lens is symmetric: the other three quarters of the image are mirrored
    half = np.concatenate([quarter[:0:-1, :, ::-1, :], quarter])
    bank = np.ascontiguousarray(np.concatenate([half[:, :0:-1, :, ::-1], half], axis=1))
    bank.flags.writeable = False
    return bank


def _energy(place: tuple[float, float], lens: Aberrations, wavelength: float) -> NDArray[np.float64]:
    """Return the energy in the (GRID, GRID) image plane for one wavelength."""
    rows, columns = np.mgrid[:GRID, :GRID] - GRID // 2
    rows, columns = rows * (wavelength / PUPIL_RADIUS), columns * (wavelength / PUPIL_RADIUS)
    radius = rows**2 + columns**2  # squared; 1 at the pupil's edge
    along = rows * place[0] + columns * place[1]  # the pupil's coordinate in the direction of the place
    field = place[0] ** 2 + place[1] ** 2
    wavefront = (
        (lens.defocus + lens.curvature * field) * radius
        + lens.astigmatism * along**2
        # the -1 tilts the wave so that coma does not move the PSF's centre of gravity
        + lens.coma * (radius - 1) * along
    )
    pupil = (radius <= 1) * np.exp(2j * np.pi / wavelength * wavefront)
    energy = np.fft.fftshift(np.abs(np.fft.fft2(pupil)) ** 2)
    shares: NDArray[np.float64] = energy / energy.sum()
    return shares


def _without_the_faintest(window: NDArray[np.float64]) -> NDArray[np.float64]:
    brightest_first = np.sort(window, axis=None)[::-1]
    faintest = brightest_first[np.searchsorted(np.cumsum(brightest_first), KEPT_ENERGY)]
    # the tolerance keeps rounding errors from treating mirrored samples differently
    kept = np.where(window >= faintest * (1 - 1e-9), window, 0)
    weights: NDArray[np.float64] = kept / kept.sum()
    return weights


def _integers(weights: NDArray[np.float64]) -> NDArray[np.int16]:
    integers: NDArray[np.int16] = np.round(weights * SUM).astype(np.int16)
    # the brightest pixel takes the rounding error of the sum
    integers[np.unravel_index(integers.argmax(), integers.shape)] += SUM - integers.sum(dtype=np.int64)
    return integers


def _edges(side: int) -> NDArray[np.int64]:
    """Return the pixels between tiles, where the places of the PSFs are."""
    edges: NDArray[np.int64] = np.round(np.linspace(0, side, PLACES)).astype(np.int64)
    return edges


@kernel
def _blur(
    padded: NDArray[np.float32],
    bank: NDArray[np.int16],
    row_edges: NDArray[np.int64],
    column_edges: NDArray[np.int64],
    blurred: NDArray[np.uint8],
) -> None:
    """Blur the rows of every tile with the mixed PSFs of its left and of its right places."""
    taps = bank.shape[2] * bank.shape[3] + UNROLLED
    offsets = np.empty(taps, np.int64)
    left, right = np.empty(taps, np.float32), np.empty(taps, np.float32)
    left_sum, right_sum = np.empty(blurred.shape[1], np.float32), np.empty(blurred.shape[1], np.float32)
    for tile_row in range(len(row_edges) - 1):
        top, bottom = row_edges[tile_row], row_edges[tile_row + 1]
        for row in range(top, bottom):
            height = bottom - top
            down = (STEPS * (2 * (row - top) + 1) + height) // (2 * height)
            for tile in range(len(column_edges) - 1):
                start, end = 3 * column_edges[tile], 3 * column_edges[tile + 1]
                if start == end:
                    continue
                count = _mix(
                    bank[tile_row, tile : tile + 2],
                    bank[tile_row + 1, tile : tile + 2],
                    down,
                    padded.shape[1],
                    offsets,
                    left,
                    right,
                )
                neighbourhood = padded[row:].reshape(-1)[start:]
                length = end - start
                _weigh(neighbourhood, offsets[:count], left, right, left_sum[:length], right_sum[:length])
                _join(left_sum[:length], right_sum[:length], blurred[row, start:end])


@kernel
def _mix(
    upper: NDArray[np.int16],
    lower: NDArray[np.int16],
    down: int,
    stride: int,
    offsets: NDArray[np.int64],
    left: NDArray[np.float32],
    right: NDArray[np.float32],
) -> int:
    """List the mixed weights of a row, `down` of STEPS below the upper places, and their samples' offsets.

    Return how many there are.
    """
    size = upper.shape[1]
    count = 0
    for row in range(size):
        for column in range(size):
            to_left = upper[0, row, column] * (STEPS - down) + lower[0, row, column] * down
            to_right = upper[1, row, column] * (STEPS - down) + lower[1, row, column] * down
            if to_left != 0 or to_right != 0:
                # a PSF says where light goes; turned around, it says where light comes from
                offsets[count] = (size - 1 - row) * stride + 3 * (size - 1 - column)
                left[count], right[count] = to_left, to_right
                count += 1
    while count % UNROLLED != 0:
        offsets[count], left[count], right[count] = 0, 0, 0
        count += 1
    return count


@kernel
def _weigh(
    samples: NDArray[np.float32],
    offsets: NDArray[np.int64],
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    left_sum: NDArray[np.float32],
    right_sum: NDArray[np.float32],
) -> None:
    """Sum a row's neighbourhood twice, with the weights of the left places and of the right ones."""
    length = len(left_sum)
    left_sum[:] = 0
    right_sum[:] = 0
    for tap in range(0, len(offsets), UNROLLED):
        # several at a time, because each pass reads and writes the sums once
        a, b = samples[offsets[tap] :][:length], samples[offsets[tap + 1] :][:length]
        c, d = samples[offsets[tap + 2] :][:length], samples[offsets[tap + 3] :][:length]
        left_a, left_b, left_c, left_d = left[tap], left[tap + 1], left[tap + 2], left[tap + 3]
        right_a, right_b, right_c, right_d = right[tap], right[tap + 1], right[tap + 2], right[tap + 3]
        for i in range(length):
            left_sum[i] += (left_a * a[i] + left_b * b[i]) + (left_c * c[i] + left_d * d[i])
            right_sum[i] += (right_a * a[i] + right_b * b[i]) + (right_c * c[i] + right_d * d[i])


@kernel
def _join(left_sum: NDArray[np.float32], right_sum: NDArray[np.float32], blurred: NDArray[np.uint8]) -> None:
    """Mix the left and right sums by the pixel's distance, and round."""
    width = len(blurred) // 3
    whole = SUM * STEPS * 2 * width
    for column in range(width):
        to_right = 2 * column + 1
        for i in range(3 * column, 3 * column + 3):
            total = np.int64(left_sum[i]) * (2 * width - to_right) + np.int64(right_sum[i]) * to_right
            blurred[i] = (total + whole // 2) // whole
