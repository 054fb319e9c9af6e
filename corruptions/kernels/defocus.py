"""Defocus blur: every point becomes a disk with soft edges.

The reference blurs with a flat disk that has itself been blurred by a narrow Gaussian on a small grid. Here,
sums over the flat disk, which are exact integers, are blurred by the same Gaussian. Where the disk touches
the edge of the reference's grid, the two differ by a few samples, the `residue`, which are added one by one.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from corruptions.kernels.compiling import kernel
from corruptions.kernels.rows import add_pair, add_product, set_product, truncate

__all__ = ["Aperture", "aperture", "defocus_blur", "published_disk"]

SMALL_DISK = 8  # pixels; up to this radius, the reference's grid has the same size and its Gaussian 3 weights


class Aperture(NamedTuple):
    """The image of a point out of focus.

    `half_widths` holds the half width of each row of the disk, top to bottom; `soft` the weights of the
    Gaussian at the distances 0, 1, ... Residue i has the weight `values[i]` at the rows and columns
    `places[starts[i] : starts[i + 1]]`, counted from the upper left corner of the whole kernel.
    """

    half_widths: NDArray[np.int64]
    soft: NDArray[np.float32]
    area: np.float32
    values: NDArray[np.float32]
    starts: NDArray[np.int64]
    places: NDArray[np.int64]


def defocus_blur(image: NDArray[np.uint8], *, radius: int, alias_blur: float) -> NDArray[np.uint8]:
    """Return the image that an unfocused lens shows; the border is mirrored. See `aperture`."""
    opened = aperture(radius, alias_blur)
    margin = opened.half_widths.size // 2 + opened.soft.size - 1
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    rows = padded.reshape(padded.shape[0], -1)
    return _defocus(rows, opened).reshape(image.shape)


@cache
def aperture(radius: int, alias_blur: float) -> Aperture:
    """Return the disk x**2 + y**2 <= radius**2 with edges softened by a Gaussian of sigma `alias_blur`."""
    gaussian = _gaussian(radius, alias_blur)
    half = gaussian[gaussian.size // 2 :]
    soft = half[half > 1e-7]
    ideal = _softened_disk(radius, radius + soft.size - 1, gaussian, "constant")
    published = published_disk(radius, alias_blur)
    larger = max(ideal.shape[0], published.shape[0]) // 2
    ideal, published = (np.pad(disk, larger - disk.shape[0] // 2) for disk in (ideal, published))
    middle = slice(larger - radius - soft.size + 1, larger + radius + soft.size)
    values, starts, places = _grouped((published - ideal)[middle, middle])
    offsets = np.arange(-radius, radius + 1)
    half_widths = np.floor(np.sqrt(radius**2 - offsets**2)).astype(np.int64)
    area = np.float32(2 * half_widths.sum() + half_widths.size)
    return Aperture(half_widths, soft.astype(np.float32), area, values, starts, places)


@cache
def published_disk(radius: int, alias_blur: float) -> NDArray[np.float64]:
    """Return the reference's disk with soft edges: a square kernel of odd size.

    A disk that fills its grid is mirrored at the edge and becomes brighter.
    """
    return _softened_disk(radius, max(radius, SMALL_DISK), _gaussian(radius, alias_blur), "mirror")


def _gaussian(radius: int, alias_blur: float) -> NDArray[np.float64]:
    """Return the weights of the Gaussian that softens edges: 3, or 5 for a disk larger than SMALL_DISK."""
    reach = 1 if radius <= SMALL_DISK else 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * alias_blur**2))
    gaussian: NDArray[np.float64] = weights / weights.sum()
    return gaussian


def _softened_disk(radius: int, grid: int, gaussian: NDArray[np.float64], edge: str) -> NDArray[np.float64]:
    rows, columns = np.mgrid[-grid : grid + 1, -grid : grid + 1]
    disk = (rows**2 + columns**2 <= radius**2).astype(np.float64)
    for axis in (0, 1):
        disk = ndimage.correlate1d(disk, gaussian, axis, mode=edge)
    softened: NDArray[np.float64] = disk / (rows**2 + columns**2 <= radius**2).sum()
    return softened


def _grouped(
    residue: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return the values of a residue, where the places of each start, and all places as row and column."""
    rounded = residue.round(9)
    values = np.unique(rounded[np.abs(rounded) > 5e-6])  # smaller ones together change no mean by 0.01
    places = [np.argwhere(rounded == value) for value in values]
    starts = np.cumsum([0, *map(len, places)])
    return values.astype(np.float32), starts, np.concatenate([np.empty((0, 2), np.int64), *places])


@kernel
def _sum_along(row: NDArray[np.uint8], sums: NDArray[np.uint16]) -> None:
    """Write the running sums of each channel, one pixel more than the row has, in 16 bits that wrap around.

    The difference of two sums is still exact if the samples between them add up to less than 2**16.
    """
    red = green = blue = np.uint16(0)
    sums[:3] = np.uint16(0)
    after = sums[3:]
    for i in range(row.size // 3):
        red = np.uint16(red + row[3 * i])
        green = np.uint16(green + row[3 * i + 1])
        blue = np.uint16(blue + row[3 * i + 2])
        after[3 * i], after[3 * i + 1], after[3 * i + 2] = red, green, blue


@kernel
def _defocus(rows: NDArray[np.uint8], opened: Aperture) -> NDArray[np.uint8]:
    reach = opened.soft.size - 1
    diameter = opened.half_widths.size
    margin = diameter // 2 + reach
    height, size = rows.shape[0] - 2 * margin, rows.shape[1] - 2 * margin * 3
    blurred = np.empty((height, size), np.uint8)
    # the running sums of as many rows as the disk has; those of row y are in place y % diameter
    sums = np.empty((diameter, rows.shape[1] + 3), np.uint16)
    for y in range(diameter - 1):
        _sum_along(rows[y], sums[y])
    # the disk's sums of the last rows, with a margin for the Gaussian
    wide = size + 2 * reach * 3
    disks = np.empty((2 * reach + 1, wide), np.float32)
    part, column_sums, total = (
        np.empty(wide, np.uint16),
        np.empty(wide, np.float32),
        np.empty(size, np.float32),
    )
    for y in range(height + 2 * reach):
        _sum_along(rows[y + diameter - 1], sums[(y + diameter - 1) % diameter])
        _sum_disk(sums, y, opened.half_widths, part, disks[y % (2 * reach + 1)])
        if y < 2 * reach:
            continue
        middle = y - reach
        set_product(column_sums, disks[middle % (2 * reach + 1)], opened.soft[0] / opened.area)
        for j in range(1, reach + 1):
            above, below = disks[(middle - j) % (2 * reach + 1)], disks[(middle + j) % (2 * reach + 1)]
            add_pair(column_sums, above, below, opened.soft[j] / opened.area)
        set_product(total, column_sums[reach * 3 :], opened.soft[0])
        for j in range(1, reach + 1):
            left, right = column_sums[(reach - j) * 3 :], column_sums[(reach + j) * 3 :]
            add_pair(total, left, right, opened.soft[j])
        _add_residue(rows[y - 2 * reach :], opened, part[:size], total)
        truncate(total, blurred[y - 2 * reach])
    return blurred


@kernel
def _sum_disk(
    sums: NDArray[np.uint16],
    y: int,
    half_widths: NDArray[np.int64],
    part: NDArray[np.uint16],
    disk: NDArray[np.float32],
) -> None:
    """Sum samples over the disk whose first row is row `y`, in two halves, each of which fits into 16 bits.

    The running sums of row i are in place i % diameter.
    """
    height = half_widths.size
    radius = height // 2
    size = part.size
    disk[:] = np.float32(0)
    for first, last in ((0, radius), (radius, 2 * radius + 1)):
        part[:] = np.uint16(0)
        for row in range(first, last - 1, 2):
            half, other = half_widths[row], half_widths[row + 1]
            one, two = sums[(y + row) % height], sums[(y + row + 1) % height]
            _add_two_runs(
                part,
                one[(radius + half + 1) * 3 :],
                one[(radius - half) * 3 :],
                two[(radius + other + 1) * 3 :],
                two[(radius - other) * 3 :],
            )
        if (last - first) % 2 == 1:
            half = half_widths[last - 1]
            one = sums[(y + last - 1) % height]
            _add_run(part, one[(radius + half + 1) * 3 :], one[(radius - half) * 3 :])
        for i in range(size):
            disk[i] += np.float32(part[i])


@kernel
def _add_run(total: NDArray[np.uint16], end: NDArray[np.uint16], start: NDArray[np.uint16]) -> None:
    for i in range(total.size):
        total[i] = np.uint16(total[i] + end[i] - start[i])


@kernel
def _add_two_runs(
    total: NDArray[np.uint16],
    end: NDArray[np.uint16],
    start: NDArray[np.uint16],
    other_end: NDArray[np.uint16],
    other_start: NDArray[np.uint16],
) -> None:
    for i in range(total.size):
        total[i] = np.uint16(total[i] + end[i] - start[i] + other_end[i] - other_start[i])


@kernel
def _add_residue(
    rows: NDArray[np.uint8],
    opened: Aperture,
    part: NDArray[np.uint16],
    total: NDArray[np.float32],
) -> None:
    for i in range(opened.values.size):
        part[:] = np.uint16(0)
        for place in range(opened.starts[i], opened.starts[i + 1], 4):  # there are four mirror images of each
            _add_four_samples(
                part,
                _from(rows, opened.places[place]),
                _from(rows, opened.places[place + 1]),
                _from(rows, opened.places[place + 2]),
                _from(rows, opened.places[place + 3]),
            )
        add_product(total, part, opened.values[i])


@kernel
def _from(rows: NDArray[np.uint8], place: NDArray[np.int64]) -> NDArray[np.uint8]:
    row: NDArray[np.uint8] = rows[place[0]]
    return row[place[1] * 3 :]


@kernel
def _add_four_samples(
    total: NDArray[np.uint16],
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    c: NDArray[np.uint8],
    d: NDArray[np.uint8],
) -> None:
    for i in range(total.size):
        total[i] = np.uint16(total[i] + a[i] + b[i] + c[i] + d[i])
