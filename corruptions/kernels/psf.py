"""Blur by a lens whose aberrations grow from the middle of the image to its corners.

The lens is described by Seidel's wavefront aberrations; the point-spread function (PSF) of a place in the
image is the squared magnitude of the Fourier transform of its pupil (Goodman, Introduction to Fourier Optics,
2005, section 6.4). PSFs are computed on a grid of 9 x 9 places. Every pixel is blurred with the PSFs of the
four places around it, mixed by distance, so the blur has no seams. Every PSF has its centre of gravity in its
middle, so the image stays in its place. All weights are integers and all sums are exact, so results are the
same on every machine and a flat image stays exactly flat.
"""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from corruptions.kernels.compiling import kernel

__all__ = ["Aberrations", "psf", "psf_bank", "psf_blur"]

PLACES = 9  # per axis, from edge to edge; odd, so that one is the middle
GRID = 160  # samples per axis of the pupil's plane, and of the image plane
PUPIL_RADIUS = 40  # samples; with GRID it makes a pixel two samples wide in the image plane
WAVELENGTHS = (0.85, 1.0, 1.15)  # relative; one alone would show rings that white light does not
KEPT_ENERGY = 0.95  # the faintest pixels, which share the rest, are dropped
CENTRINGS = (
    3  # dropping moves the centre of gravity, and moving the PSF changes which pixels are the faintest
)
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
    reach = bank.shape[2] // 2
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    blurred = np.empty((height, width * 3), np.uint8)
    _blur(
        padded.reshape(len(padded), -1).astype(np.float32),
        bank,
        _edges(height),
        _edges(width),
        blurred,
    )
    return blurred.reshape(image.shape)


def psf(place: tuple[float, float], lens: Aberrations) -> NDArray[np.int16]:
    """Return the (79, 79) point-spread function at a place of the image, in pixels.

    Its integer weights add up to SUM, and their centre of gravity is the middle to 0.05 pixels. `place` is
    (row, column) from the middle of the image, in half diagonals.
    """
    energy = fft.fftshift(sum(_energy(place, lens, wavelength) for wavelength in WAVELENGTHS))
    down, across = fft.fftfreq(GRID)[:, None], fft.rfftfreq(GRID)
    # a pixel is two samples wide: it sees its own sample and half of both neighbours
    spectrum = fft.rfft2(energy) * (1 + np.cos(2 * np.pi * down)) * (1 + np.cos(2 * np.pi * across))
    tried, move = [], np.zeros(2)
    for _ in range(CENTRINGS + 1):
        moved = spectrum * np.exp(-4j * np.pi * move[0] * down) * np.exp(-4j * np.pi * move[1] * across)
        # the first pixel of each axis has no counterpart at the other end
        tried.append(_weights(fft.irfft2(moved, energy.shape)[::2, ::2][1:, 1:]))
        move -= _centre_of_gravity(tried[-1])
    # rounding to integers moves the centre too, by a little and without a direction
    return min(tried, key=lambda weights: float(np.hypot(*_centre_of_gravity(weights))))


@lru_cache(maxsize=32)  # up to 600 KB each
def psf_bank(height: int, width: int, lens: Aberrations) -> NDArray[np.int16]:
    """Return the integer weights of an image's places; those of a PSF add up to SUM.

    The shape is (9, 9, S, S), where S is odd and as small as the widest PSF allows.
    """
    half_diagonal = np.hypot(height, width) / 2
    middle = PLACES // 2
    quarter = np.array(
        [
            [
                psf(
                    (
                        row / middle * height / 2 / half_diagonal,
                        column / middle * width / 2 / half_diagonal,
                    ),
                    lens,
                )
                for column in range(middle + 1)
            ]
            for row in range(middle + 1)
        ]
    )
    used = np.argwhere(quarter.any(axis=(0, 1)))
    beyond = int(min(used.min(), quarter.shape[2] - 1 - used.max()))
    quarter = quarter[:, :, beyond : quarter.shape[2] - beyond, beyond : quarter.shape[3] - beyond]
    # the lens is symmetric: the other three quarters of the image are mirrored
    half = np.concatenate([quarter[:0:-1, :, ::-1, :], quarter])
    bank = np.ascontiguousarray(np.concatenate([half[:, :0:-1, :, ::-1], half], axis=1))
    bank.flags.writeable = False
    return bank


def _energy(place: tuple[float, float], lens: Aberrations, wavelength: float) -> NDArray[np.float64]:
    """Return the energy in the (GRID, GRID) image plane for one wavelength, the middle in the corner."""
    inside, rows, columns = _pupil(wavelength)
    radius = rows**2 + columns**2  # squared; 1 at the pupil's edge
    along = rows * place[0] + columns * place[1]  # the pupil's coordinate in the direction of the place
    field = place[0] ** 2 + place[1] ** 2
    wavefront = (
        (lens.defocus + lens.curvature * field) * radius
        + lens.astigmatism * along**2
        # the -1 tilts the wave so that coma does not move the PSF's centre of gravity
        + lens.coma * (radius - 1) * along
    )
    pupil = np.zeros((GRID, GRID), np.complex128)
    pupil[inside] = np.exp(2j * np.pi / wavelength * wavefront)
    wave = fft.fft2(pupil)
    energy = wave.real**2 + wave.imag**2
    shares: NDArray[np.float64] = energy / energy.sum()
    return shares


@cache
def _pupil(wavelength: float) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which samples of the pupil's plane are inside the pupil, and their rows and columns."""
    rows, columns = (np.mgrid[:GRID, :GRID] - GRID // 2) * (wavelength / PUPIL_RADIUS)
    inside = rows**2 + columns**2 <= 1
    return inside, rows[inside], columns[inside]


def _weights(light: NDArray[np.float64]) -> NDArray[np.int16]:
    """Turn the brightest pixels, which have KEPT_ENERGY of the light, into integers that add up to SUM."""
    brightest_first = np.sort(light, axis=None)[::-1]
    sums = np.cumsum(brightest_first)
    faintest = brightest_first[np.searchsorted(sums, KEPT_ENERGY * sums[-1])]
    # the tolerance keeps rounding errors from treating mirrored pixels differently
    kept = np.where(light >= faintest * (1 - 1e-9), light, 0)
    exact = kept * (SUM / kept.sum())
    weights: NDArray[np.int16] = exact.astype(np.int16)
    # as many of the largest remainders are rounded up as the sum needs
    remainders = (exact - weights).round(9)
    largest = np.argsort(-remainders, axis=None, kind="stable")[: SUM - weights.sum(dtype=np.int64)]
    weights.reshape(-1)[largest] += 1
    return weights


def _centre_of_gravity(weights: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return its row and column from the middle, in pixels."""
    offsets = np.arange(len(weights)) - len(weights) // 2
    return np.array([weights.sum(axis=1) @ offsets, weights.sum(axis=0) @ offsets]) / SUM


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
    offsets, weights = np.empty(taps, np.int64), np.empty((2, 2, taps), np.float32)
    left, right = np.empty(taps, np.float32), np.empty(taps, np.float32)
    left_sum, right_sum = np.empty(blurred.shape[1], np.float32), np.empty(blurred.shape[1], np.float32)
    for tile_row in range(len(row_edges) - 1):
        top, bottom = row_edges[tile_row], row_edges[tile_row + 1]
        height = bottom - top
        for tile in range(len(column_edges) - 1):
            start, end = 3 * column_edges[tile], 3 * column_edges[tile + 1]
            length = end - start
            if length == 0:
                continue
            places = bank[tile_row : tile_row + 2, tile : tile + 2]
            count = _list_taps(places, padded.shape[1], offsets, weights)
            for row in range(top, bottom):
                down = np.float32((STEPS * (2 * (row - top) + 1) + height) // (2 * height))
                _mix(weights[:, 0, :count], down, left)
                _mix(weights[:, 1, :count], down, right)
                neighbourhood = padded[row:].reshape(-1)[start:]
                _weigh(neighbourhood, offsets[:count], left, right, left_sum[:length], right_sum[:length])
                _join(left_sum[:length], right_sum[:length], blurred[row, start:end])


@kernel
def _list_taps(
    places: NDArray[np.int16], stride: int, offsets: NDArray[np.int64], weights: NDArray[np.float32]
) -> int:
    """List the samples that have a weight at one of the (2, 2) places: their offsets and their weights there.

    Return how many there are, a multiple of UNROLLED.
    """
    size = places.shape[2]
    count = 0
    for row in range(size):
        for column in range(size):
            if places[:, :, row, column].any():
                # a PSF says where light goes; turned around, it says where light comes from
                offsets[count] = (size - 1 - row) * stride + 3 * (size - 1 - column)
                weights[:, :, count] = places[:, :, row, column]
                count += 1
    while count % UNROLLED != 0:
        offsets[count] = 0
        weights[:, :, count] = 0
        count += 1
    return count


@kernel
def _mix(weights: NDArray[np.float32], down: np.float32, mixed: NDArray[np.float32]) -> None:
    """Mix the weights of an upper and a lower place, `down` of STEPS below the upper one."""
    upper, lower = weights
    for tap in range(len(upper)):
        mixed[tap] = upper[tap] * (np.float32(STEPS) - down) + lower[tap] * down


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
