"""Draws: the published generator, keyed by what is corrupted, a function of the position."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from corruptions.kernels.random import BLOCK, Stream, normals, philox, stream, uniform, uniforms, words

STREAM = stream("1", 5, "fog", 2, "street.png")


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [  # of Random123's file kat_vectors
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_answers(
    counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]
) -> None:
    assert philox(tuple(map(np.uint32, counter)), *map(np.uint32, key)) == answer  # type: ignore[arg-type,comparison-overlap]


@pytest.mark.parametrize("lane", [0, 7])
def test_a_draw_is_the_documented_function_of_its_position(lane: int) -> None:
    field = words(STREAM, 3 * BLOCK + 5, lane)
    for i in (0, 1, 511, 512, 2047, 2048, 5000, 3 * BLOCK + 4):
        counter = (np.uint32(512 * (i // 2048) + i % 512), np.uint32(lane), np.uint32(0), np.uint32(0))
        assert field[i] == philox(counter, *STREAM)[i % 2048 // 512]


@pytest.mark.parametrize("draw", [words, uniforms, normals])
def test_a_longer_field_begins_with_the_shorter_one(draw: Callable[..., NDArray[Any]]) -> None:
    field = draw(STREAM, (3, 1700))
    for count in (1, 100, 2048, 2049):
        assert (draw(STREAM, count) == field.reshape(-1)[:count]).all()


def test_uniforms_are_the_upper_bits_of_the_words() -> None:
    assert (uniforms(STREAM, 5000) == (words(STREAM, 5000) >> 8) / 2**24).all()
    assert uniform(STREAM, -3, 5, lane=2) == -3 + 8 * int(words(STREAM, 1, 2)[0]) / 2**32


def test_streams_differ_in_each_part_of_their_key() -> None:
    parts = [
        ("2", 0, "fog", 1, "a"),
        ("1", 0, "fog", 1, "a"),
        ("1", 1, "fog", 1, "a"),
        ("1", 0, "frost", 1, "a"),
        ("1", 0, "fog", 2, "a"),
        ("1", 0, "fog", 1, "b"),
        ("1", 0, "fog", 11, ""),
        ("1", 0, "fog1", 1, "a"),
        ("1", 0, "fog", 1, '", "a'),
    ]
    streams = {stream(*part) for part in parts}
    assert len(streams) == len(parts)


def test_streams_stay_what_they_were_when_they_were_written_down() -> None:
    assert stream("1", 0, "fog", 3, "street.png") == Stream(np.uint32(344983946), np.uint32(3625705311))
    assert words(stream("1", 0, "fog", 3, "street.png"), 2).tolist() == [1175666681, 2821272231]


def independent(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(stats.pearsonr(first.ravel(), second.ravel()).pvalue)


@pytest.mark.parametrize(("draw", "law"), [(uniforms, "uniform"), (normals, "norm")])
def test_draws_follow_their_law(draw: Callable[..., NDArray[Any]], law: str) -> None:
    field = draw(STREAM, (600, 500)).astype(np.float64)
    assert stats.kstest(field.ravel(), law).pvalue > 0.001
    expected = np.diff(getattr(stats, law).cdf(getattr(stats, law).ppf(np.linspace(0, 1, 201))))
    counts, _ = np.histogram(field, getattr(stats, law).ppf(np.linspace(0, 1, 201)))
    assert stats.chisquare(counts, expected * field.size).pvalue > 0.001


@pytest.mark.parametrize("draw", [uniforms, normals])
def test_neighbours_and_lanes_are_independent(draw: Callable[..., NDArray[Any]]) -> None:
    field = draw(STREAM, (400, 512))
    assert independent(field, draw(STREAM, (400, 512), lane=1)) > 0.001
    for distance in (1, 512, 1024, 2048):
        flat = field.ravel()
        assert independent(flat[:-distance], flat[distance:]) > 0.001
        assert independent(flat[:-distance] ** 2, flat[distance:] ** 2) > 0.001


def test_normal_tails_reach_as_far_as_24_bits_allow() -> None:
    field = normals(STREAM, 4_000_000)
    beyond = np.array([(np.abs(field) > bound).sum() for bound in (3, 4, 4.5)])
    expected = field.size * 2 * stats.norm.sf([3, 4, 4.5])
    assert (np.abs(beyond - expected) < 4 * np.sqrt(expected)).all()
    assert np.abs(field).max() < 5.9
