import itertools

import numpy as np
import pytest

from robseg.training.batches import batches, steps_per_epoch
from robseg.training.recipe import Recipe


class Numbered:
    """Samples whose targets hold their own index."""

    def __len__(self):
        return 11

    def __getitem__(self, index):
        return np.zeros((4, 4, 3), np.uint8), np.full((4, 4), index, np.uint8)


@pytest.mark.parametrize(("size", "accumulate"), [(2, 1), (2, 2), (5, 1), (1, 3), (20, 1), (4, 5)])
def test_an_epoch_shows_no_image_twice_and_the_next_one_in_another_order(size, accumulate):
    recipe = Recipe(
        "enet", "streets", batch_size=size, accumulate=accumulate, crop=(4, 4), scale=(1, 1), jitter=0
    )
    steps = steps_per_epoch(11, recipe)
    epochs = []
    for epoch in range(2):
        shown = []
        for step in range(epoch * steps, (epoch + 1) * steps):
            parts = [targets[:, 0, 0].tolist() for _, targets in batches(Numbered(), recipe, step)]
            assert max(map(len, parts)) <= size
            shown += itertools.chain.from_iterable(parts)
        epochs.append(shown)
        assert len(shown) == len(set(shown)) == min(11, steps * size * accumulate)
    assert epochs[0] != epochs[1]
