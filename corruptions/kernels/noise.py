"""Noise: a random change of every sample.

Draws are made and used a block at a time; sample `i` of the image uses draw `i`.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from corruptions.kernels.compiling import kernel
from corruptions.kernels.random import BLOCK, Stream, fill_words, words_to_normals

__all__ = ["gaussian_noise", "impulse_noise", "photon_table", "shot_noise", "speckle_noise"]


def gaussian_noise(image: NDArray[np.uint8], *, scale: float, stream: Stream) -> NDArray[np.uint8]:
    """Add normal noise of standard deviation `scale`, where 1 is white."""
    return _add_normal(image, np.float32(255 * scale), np.float32(0), *stream)


def speckle_noise(image: NDArray[np.uint8], *, scale: float, stream: Stream) -> NDArray[np.uint8]:
    """Add normal noise of standard deviation `scale` times the sample."""
    return _add_normal(image, np.float32(0), np.float32(scale), *stream)


def shot_noise(image: NDArray[np.uint8], *, photons: int, stream: Stream) -> NDArray[np.uint8]:
    """Replace samples by Poisson counts of photons; white means `photons` of them on average."""
    return _count_photons(image, *photon_table(photons), *stream)


def impulse_noise(image: NDArray[np.uint8], *, amount: float, stream: Stream) -> NDArray[np.uint8]:
    """Set the share `amount` of the samples to black or white."""
    pepper = np.uint32(round(amount / 2 * 2**32))
    either = np.uint32(round(amount * 2**32))
    return _flip_to_extremes(image, pepper, either, *stream)


@kernel
def _add_normal(
    image: NDArray[np.uint8], constant: np.float32, proportional: np.float32, key0: np.uint32, key1: np.uint32
) -> NDArray[np.uint8]:
    """Add normal noise of deviation constant + proportional * sample, in grey levels, and truncate."""
    noisy = np.empty_like(image)
    samples, results = image.reshape(-1), noisy.reshape(-1)
    words, normals = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.float32)
    for start in range(0, samples.size, BLOCK):
        fill_words(words, start // BLOCK, np.uint32(0), key0, key1)
        words_to_normals(words, normals)
        block = slice(start, start + BLOCK)
        _add_block(samples[block], normals, constant, proportional, results[block])
    return noisy


@kernel  # separate, because within the other loop this one is not vectorised
def _add_block(
    samples: NDArray[np.uint8],
    normals: NDArray[np.float32],
    constant: np.float32,
    proportional: np.float32,
    results: NDArray[np.uint8],
) -> None:
    for i in range(samples.size):
        level = np.float32(samples[i])
        level += (constant + proportional * level) * normals[i]
        results[i] = np.uint8(np.int32(min(max(level, np.float32(0)), np.float32(255))))


@kernel
def _flip_to_extremes(
    image: NDArray[np.uint8], pepper: np.uint32, either: np.uint32, key0: np.uint32, key1: np.uint32
) -> NDArray[np.uint8]:
    """Set samples to 0 where a word is below `pepper`, otherwise to 255 where it is below `either`."""
    noisy = np.empty_like(image)
    samples, results = image.reshape(-1), noisy.reshape(-1)
    words = np.empty(BLOCK, np.uint32)
    for start in range(0, samples.size, BLOCK):
        fill_words(words, start // BLOCK, np.uint32(0), key0, key1)
        part, result = samples[start : start + BLOCK], results[start : start + BLOCK]
        for i in range(part.size):
            salted = np.uint8(255) if words[i] < either else part[i]
            result[i] = np.uint8(0) if words[i] < pepper else salted
    return noisy


@kernel
def _count_photons(
    image: NDArray[np.uint8],
    table: NDArray[np.uint32],
    levels: NDArray[np.uint8],
    key0: np.uint32,
    key1: np.uint32,
) -> NDArray[np.uint8]:
    """Replace each sample by the level of a random count, drawn from the alias table of its grey level.

    The upper bits of a word choose a column of the table; the other bits choose between the column's own
    count and its alias (Walker, 1977).
    """
    noisy = np.empty_like(image)
    samples, results = image.reshape(-1), noisy.reshape(-1)
    words, counts = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    column_bits = np.uint32(0)
    while np.uint32(levels.size) > np.uint32(1) << column_bits:
        column_bits += np.uint32(1)
    for start in range(0, samples.size, BLOCK):
        block = slice(start, start + BLOCK)
        fill_words(words, start // BLOCK, np.uint32(0), key0, key1)
        _count_block(samples[block], words, table, column_bits, counts)
        result = results[block]
        for i in range(result.size):
            result[i] = levels[counts[i]]
    return noisy


@kernel
def _count_block(
    samples: NDArray[np.uint8],
    words: NDArray[np.uint32],
    table: NDArray[np.uint32],
    column_bits: np.uint32,
    counts: NDArray[np.uint32],
) -> None:
    for i in range(samples.size):
        column = words[i] >> (np.uint32(32) - column_bits)
        coin = (words[i] >> (np.uint32(8) - column_bits)) & np.uint32(0xFFFFFF)
        entry = table[(np.uint32(samples[i]) << column_bits) | column]
        own = coin < entry >> np.uint32(8)
        counts[i] = column if own else entry & np.uint32(0xFF)


@cache
def photon_table(photons: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Return the alias table of a Poisson law for every grey level, and the grey level of every count.

    All counts of at least `photons` are white and share a column. The table is (256 * columns,), with columns
    a power of two up to 256. An entry holds 24 bits of the probability of keeping the column's own count and
    8 bits of the count that replaces it otherwise.
    """
    columns = 1 << photons.bit_length()
    expected = np.arange(256)[:, None] / 255 * photons
    law = np.zeros((256, columns))
    law[:, :photons] = stats.poisson.pmf(np.arange(photons), expected)
    law[:, photons] = stats.poisson.sf(photons - 1, expected[:, 0])
    levels = np.zeros(columns, np.uint8)
    levels[: photons + 1] = np.arange(photons + 1) / float(photons) * 255
    return np.concatenate([_alias_row(row) for row in law]), levels


def _alias_row(law: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return the entries of one row, in which an alias fills up every column below its equal share."""
    share = law * law.size
    keep, alias = np.ones(law.size), np.arange(law.size)
    poor = [column for column in range(law.size) if share[column] < 1]
    rich = [column for column in range(law.size) if share[column] >= 1]
    while poor and rich:
        receiver, giver = poor.pop(), rich.pop()
        keep[receiver], alias[receiver] = share[receiver], giver
        share[giver] -= 1 - share[receiver]
        (poor if share[giver] < 1 else rich).append(giver)
    # a probability of 1 does not fit; a column that always keeps its count is its own alias
    thresholds = np.minimum(np.round(keep * 2**24), 2**24 - 1).astype(np.uint32)
    return thresholds << np.uint32(8) | alias.astype(np.uint32)
