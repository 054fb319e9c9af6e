"""Parts of a data set: spread evenly, nested, and the same samples as in the whole."""

import dataclasses
import pickle
from itertools import pairwise

import numpy as np
import pytest

from robseg.datasets.base import Dataset, Sample


def read(index: int) -> Sample:
    return Sample(str(index), np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8))


def whole(images: int) -> Dataset:
    ids = tuple(map(str, range(images)))
    clusters = tuple(f"drive{index // 10}" for index in range(images))
    return Dataset("numbers", "all", ("a",), ((0, 0, 0),), ids, read, "", clusters=clusters)


@pytest.mark.parametrize("images", [1, 2, 7, 64, 233])
def test_a_larger_limit_keeps_the_images_of_a_smaller_one(images: int) -> None:
    parts = [set(whole(images).spread(limit).ids) for limit in range(1, images + 1)]
    assert [len(part) for part in parts] == list(range(1, images + 1))
    assert all(smaller < larger for smaller, larger in pairwise(parts))


@pytest.mark.parametrize("limit", [6, 12, 60])
def test_a_limit_is_spread_evenly_over_the_set(limit: int) -> None:
    part = whole(233).spread(limit)
    places = [int(name) for name in part.ids]
    assert places == sorted(places)
    gaps = np.diff([*places, 233])
    assert gaps.max() <= 2.1 * 233 / limit
    assert len(set(part.clusters)) >= min(limit, 23), "the last of 24 drives has three images"


def test_a_part_has_the_samples_of_the_whole_and_says_how_many_there_are() -> None:
    data = whole(20)
    for part in (data.spread(7), data.thinned(3), data.thinned(2).spread(3)):
        assert [pickle.loads(pickle.dumps(part.read))(i).id for i in range(len(part))] == list(part.ids)  # noqa: S301
        assert part.clusters == tuple(data.clusters[int(name)] for name in part.ids)
        assert part.total == 20
    for same in (data.spread(None), data.spread(20), data.spread(99), data.thinned(1)):
        assert same == data
        assert same.total == 0
    assert dataclasses.replace(data, clusters=()).spread(3).clusters == ()
