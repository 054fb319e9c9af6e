"""Random draws that depend only on a stream and on their position in it.

Draws come from Philox4x32-10 (Salmon et al., SC 2011), a function of a key and a counter. The key is the
stream; the counter is the position. `lane` keeps several fields of draws of one stream apart.

Draw `i` of a field is word (i % 2048) // 512 of the counter 512 * (i // 2048) + i % 512. Blocks of 2048 draws
let a kernel make four contiguous runs at a time.
"""

import json
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = [
    "BLOCK",
    "Stream",
    "fill_uniforms",
    "fill_words",
    "normals",
    "philox",
    "stream",
    "uniform",
    "uniforms",
    "words",
    "words_to_normals",
]

BLOCK = 2048
"""Draws that kernels make at a time; a block's words and samples fit into the processor's nearest cache."""

_QUARTER = BLOCK // 4
_LOG_2 = np.float32(np.log(2))
_ANGLE = np.float32(np.pi / 4 * 2**-23)
_UNIT = np.float32(2**-24)


class Stream(NamedTuple):
    """The key of one corrupted image's draws: two words of 32 bits."""

    key0: np.uint32
    key1: np.uint32


def stream(version: str, seed: int, name: str, severity: int, key: str) -> Stream:
    """Return the stream of one corrupted image; `version` is that of the corruption's set.

    The five are hashed as a JSON list, which keeps ("a", "bc") and ("ab", "c") apart.

    Examples
    --------
    >>> stream("1", 0, "fog", 3, "street.png") == stream("1", 0, "fog", 3, "street.png")
    True
    >>> stream("1", 0, "fog", 3, "street.png") == stream("1", 1, "fog", 3, "street.png")
    False
    """
    text = json.dumps([version, seed, name, severity, key])
    digest = blake2b(text.encode("ascii"), digest_size=8).digest()
    return Stream(*np.frombuffer(digest, dtype="<u4").astype(np.uint32))


def words(stream: Stream, shape: int | tuple[int, ...], lane: int = 0) -> NDArray[np.uint32]:
    """Return a field of words, each equally likely to be any of the 2**32.

    Examples
    --------
    >>> words(stream("1", 0, "fog", 3, "street.png"), 3).dtype
    dtype('uint32')
    """
    field = np.empty(shape, np.uint32)
    _copy_words(field.reshape(-1), np.uint32(lane), stream.key0, stream.key1)
    return field


def uniforms(stream: Stream, shape: int | tuple[int, ...], lane: int = 0) -> NDArray[np.float32]:
    """Return a field of multiples of 2**-24 in [0, 1), each equally likely.

    Examples
    --------
    >>> field = uniforms(stream("1", 0, "fog", 3, "street.png"), (40, 50))
    >>> bool(field.min() >= 0), bool(field.max() < 1), round(float(field.mean()), 1)
    (True, True, 0.5)
    """
    field = np.empty(shape, np.float32)
    fill_uniforms(field, stream, 0, lane)
    return field


def fill_uniforms(field: NDArray[np.float32], stream: Stream, first: int, lane: int = 0) -> None:
    """Fill a contiguous array with the draws of `uniforms`, starting at number `first`.

    Examples
    --------
    >>> draws, field = stream("1", 0, "fog", 3, "street.png"), np.empty(7, np.float32)
    >>> fill_uniforms(field, draws, 2045)
    >>> bool((field == uniforms(draws, 3000)[2045:2052]).all())
    True
    """
    _copy_uniforms(field.reshape(-1), first, np.uint32(lane), stream.key0, stream.key1)


def uniform(stream: Stream, low: float, high: float, lane: int = 0) -> float:
    """Return one number of 32 random bits in [low, high).

    Examples
    --------
    >>> -45 <= uniform(stream("1", 0, "motion_blur", 3, "street.png"), -45, 45) < 45
    True
    """
    return low + (high - low) * float(words(stream, 1, lane)[0]) / 2**32


def normals(stream: Stream, shape: int | tuple[int, ...], lane: int = 0) -> NDArray[np.float32]:
    """Return a field of standard normal numbers (|z| < 5.9).

    Examples
    --------
    >>> round(float(normals(stream("1", 0, "snow", 3, "street.png"), (100, 100)).std()), 1)
    1.0
    """
    field = np.empty(shape, np.float32)
    _copy_normals(field.reshape(-1), np.uint32(lane), stream.key0, stream.key1)
    return field


@kernel
def philox(
    counter: tuple[np.uint32, np.uint32, np.uint32, np.uint32], key0: np.uint32, key1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Return the four words of Philox4x32-10 at a counter of four words."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    c0, c1 = np.uint64(counter[0]), np.uint64(counter[1])
    c2, c3 = np.uint64(counter[2]), np.uint64(counter[3])
    k0, k1 = np.uint64(key0), np.uint64(key1)
    for _ in range(10):
        left = np.uint64(0xD2511F53) * c0
        right = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (right >> half) ^ c1 ^ k0, right & low, (left >> half) ^ c3 ^ k1, left & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@kernel
def fill_words(
    block: NDArray[np.uint32], number: int, lane: np.uint32, key0: np.uint32, key1: np.uint32
) -> None:
    """Fill an array of BLOCK words with the draws that start at BLOCK * number."""
    nought = np.uint32(0)
    for i in range(_QUARTER):
        counter = (np.uint32(number * _QUARTER + i), lane, nought, nought)
        first, second, third, fourth = philox(counter, key0, key1)
        # offsets into one array are vectorised, four views of it are not
        block[i] = first
        block[_QUARTER + i] = second
        block[2 * _QUARTER + i] = third
        block[3 * _QUARTER + i] = fourth


@kernel
def words_to_normals(words: NDArray[np.uint32], normals: NDArray[np.float32]) -> None:
    """Turn pairs of words into pairs of independent normals, by Box and Muller's method (1958).

    Both arrays have BLOCK entries. Words of the first half become radii, words of the second half angles.
    """
    half = words.size // 2
    for i in range(half):
        positive = (np.float32(np.int32(words[i] >> np.uint32(8))) + np.float32(0.5)) * _UNIT
        radius = np.sqrt(np.float32(-2) * _log(positive))
        cosine, sine = _cosine_and_sine(words[half + i])
        normals[i] = radius * cosine
        normals[half + i] = radius * sine


@kernel
def _log(x: np.float32) -> np.float32:
    """Return the natural logarithm of a normal float32 > 0, to 3e-7.

    The C library's logarithm differs between platforms and is not vectorised. Here x is split into
    2**exponent * m with m from sqrt(1/2) to sqrt(2), and log m = 2 artanh((m - 1) / (m + 1)) is a series.
    """
    bits = np.float32(x).view(np.int32)
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    m = np.int32(bits - (exponent << np.int32(23))).view(np.float32)
    t = (m - np.float32(1)) / (m + np.float32(1))
    square = t * t
    series = np.float32(2 / 5) + square * np.float32(2 / 7)
    series = np.float32(2) + square * (np.float32(2 / 3) + square * series)
    return np.float32(exponent) * _LOG_2 + t * series


@kernel
def _cosine_and_sine(word: np.uint32) -> tuple[np.float32, np.float32]:
    """Return cosine and sine, to 1e-7, of an angle that is uniform if the word is.

    The upper 24 bits choose an angle from -pi/4 to pi/4; the lowest two mirror it into the other quadrants.
    """
    x = (np.float32(np.int32(word) >> np.int32(8)) + np.float32(0.5)) * _ANGLE
    square = x * x
    s = np.float32(1 / 120) - square * np.float32(1 / 5040)
    s = x - x * square * (np.float32(1 / 6) - square * s)
    c = np.float32(1 / 720) - square * np.float32(1 / 40320)
    c = np.float32(1) - square * (np.float32(1 / 2) - square * (np.float32(1 / 24) - square * c))
    c = c if word & np.uint32(1) else -c
    swapped = word & np.uint32(2)
    return (s if swapped else c), (c if swapped else s)


@kernel
def _copy_words(field: NDArray[np.uint32], lane: np.uint32, key0: np.uint32, key1: np.uint32) -> None:
    block = np.empty(BLOCK, np.uint32)
    for start in range(0, field.size, BLOCK):
        fill_words(block, start // BLOCK, lane, key0, key1)
        part = field[start : start + BLOCK]
        part[:] = block[: part.size]


@kernel
def _copy_uniforms(
    field: NDArray[np.float32], first: int, lane: np.uint32, key0: np.uint32, key1: np.uint32
) -> None:
    block = np.empty(BLOCK, np.uint32)
    start = 0
    while start < field.size:
        number, used = divmod(first + start, BLOCK)
        fill_words(block, number, lane, key0, key1)
        fresh = block[used:]
        part = field[start : start + fresh.size]
        for i in range(part.size):
            part[i] = np.float32(np.int32(fresh[i] >> np.uint32(8))) * _UNIT
        start += fresh.size


@kernel
def _copy_normals(field: NDArray[np.float32], lane: np.uint32, key0: np.uint32, key1: np.uint32) -> None:
    words, block = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.float32)
    for start in range(0, field.size, BLOCK):
        fill_words(words, start // BLOCK, lane, key0, key1)
        words_to_normals(words, block)
        part = field[start : start + BLOCK]
        part[:] = block[: part.size]
