import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from robseg.datasets.base import Dataset, Sample
from robseg.training.batches import SampleCache, batches, steps_per_epoch
from robseg.training.recipe import Recipe
from tests.leftovers import leave_behind


class Numbered(SampleCache):
    """Samples whose targets hold their own index."""

    def __init__(self) -> None:
        pass

    def __len__(self) -> int:
        return 11

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return np.zeros((4, 4, 3), np.uint8), np.full((4, 4), index, np.uint8)


@pytest.mark.parametrize(("size", "accumulate"), [(2, 1), (2, 2), (5, 1), (1, 3), (20, 1), (4, 5)])
def test_an_epoch_shows_no_image_twice_and_the_next_one_in_another_order(size: int, accumulate: int) -> None:
    recipe = Recipe(
        "enet", "streets", batch_size=size, accumulate=accumulate, crop=(4, 4), scale=(1, 1), jitter=0
    )
    steps = steps_per_epoch(11, recipe)
    epochs = []
    for epoch in range(2):
        shown: list[int] = []
        for step in range(epoch * steps, (epoch + 1) * steps):
            parts = [targets[:, 0, 0].tolist() for _, targets in batches(Numbered(), recipe, step)]
            assert max(map(len, parts)) <= size
            shown += itertools.chain.from_iterable(parts)
        epochs.append(shown)
        assert len(shown) == len(set(shown)) == min(11, steps * size * accumulate)
    assert epochs[0] != epochs[1]


def dataset(reads: list[int]) -> Dataset:
    """Four samples that write down when they are read."""

    def read(index: int) -> Sample:
        reads.append(index)
        return Sample(str(index), np.full((4, 4, 3), index, np.uint8), np.full((4, 4), index, np.uint8))

    return Dataset("toy", "train", ("a",), ((0, 0, 0),), tuple("0123"), read, "f" * 32)


def test_a_sample_is_read_once(tmp_path: Path) -> None:
    reads: list[int] = []
    for _ in range(2):
        samples = SampleCache(dataset(reads), tmp_path)
        for index in (0, 1, 0, 3):
            image, target = samples[index]
            assert (image == index).all()
            assert (target == index).all()
    assert reads == [0, 1, 3]


def test_only_whole_files_count_against_the_cache(tmp_path: Path) -> None:
    samples = SampleCache(dataset([]), tmp_path, budget=200)
    samples[0]
    (samples.folder / ".1.npy.77.tmp").write_bytes(bytes(100))  # another training is writing it
    again = SampleCache(dataset([]), tmp_path, budget=200)
    assert again.left == 200 - (samples.folder / "0.npy").stat().st_size


def test_what_a_killed_training_left_in_the_cache_is_deleted(tmp_path: Path) -> None:
    leftover = leave_behind(SampleCache(dataset([]), tmp_path).folder)
    SampleCache(dataset([]), tmp_path)
    assert not leftover.exists()
