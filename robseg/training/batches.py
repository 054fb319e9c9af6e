"""Batches of augmented samples, each a function of (seed, epoch, image), and the cache of their images."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reports.run.files import remove_abandoned, write_atomically
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.training.augment import Pair, augment
from robseg.training.recipe import Recipe

__all__ = ["CACHE_BYTES", "SampleCache", "batches", "epoch_order", "steps_per_epoch"]

CACHE_BYTES = 4 << 30

# The first words of the seeds, so that no two uses share a random stream.
_ORDER, _SAMPLE = 1, 2


class SampleCache:
    """A data set's images and targets, kept decoded on disk.

    Rendering a scene costs more than training on it, and decoding a PNG takes time too. Each sample has one
    file of uint8 (H, W, 4), RGB and target, below `folder`. It is written when the sample is first read, and
    later trainings reuse it. When the files reach `budget` bytes, no more are written.
    """

    def __init__(self, dataset: Dataset, folder: Path, budget: int = CACHE_BYTES) -> None:
        self.dataset = dataset
        # The path contains the identity, so that samples of changed data are not found.
        self.folder = folder / f"{dataset.name}-{dataset.split}-{dataset.identity[:16]}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"Expected `cache` to be a folder that can be written to, but got {folder} "
                f"({error.strerror}): give another folder."
            ) from error
        remove_abandoned(self.folder)
        # Files that other processes are still writing have other names and do not count.
        self.left = budget - sum(file.stat().st_size for file in self.folder.glob("*.npy"))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Pair:
        path = self.folder / f"{index}.npy"
        if path.exists():
            stored = np.load(path)
            return np.ascontiguousarray(stored[..., :3]), np.ascontiguousarray(stored[..., 3])
        _, image, target = self.dataset.read(index)
        self.dataset.refuse_changes([index])
        if self.left >= target.size * 4:
            self._store(path, np.dstack([image, target]))
        return image, target

    def _store(self, path: Path, pixels: NDArray[np.uint8]) -> None:
        buffer = io.BytesIO()
        np.save(buffer, pixels)
        write_atomically(path, buffer.getvalue())
        self.left -= pixels.nbytes


def steps_per_epoch(num_images: int, recipe: Recipe) -> int:
    """Return the number of full steps in an epoch, or 1 if there are too few images for a full step.

    Examples
    --------
    >>> recipe = Recipe("enet", "camvid", batch_size=4, accumulate=2)
    >>> steps_per_epoch(367, recipe), steps_per_epoch(3, recipe)
    (45, 1)
    """
    return max(1, num_images // (recipe.batch_size * recipe.accumulate))


def epoch_order(num_images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of the images in an epoch."""
    return np.random.default_rng((_ORDER, seed, epoch)).permutation(num_images)


def batches(samples: SampleCache, recipe: Recipe, step: int) -> Iterator[Pair]:
    """Yield the batches of a step, counted from 0: images uint8 (N, H, W, 3) and targets uint8 (N, H, W)."""
    epoch, position = divmod(step, steps_per_epoch(len(samples), recipe))
    order = epoch_order(len(samples), recipe.seed, epoch)
    size = recipe.batch_size
    chosen = order[position * size * recipe.accumulate :][: size * recipe.accumulate]
    for start in range(0, len(chosen), size):
        pairs = [
            augment(*samples[int(i)], recipe, np.random.default_rng((_SAMPLE, recipe.seed, epoch, int(i))))
            for i in chosen[start : start + size]
        ]
        yield np.stack([image for image, _ in pairs]), np.stack([target for _, target in pairs])
