"""Populations of counts to draw units from, in simulations of intervals and p-values.

The real ones are the counts of enet@camvid and deeplabv3plus@camvid (in that order) on the 233 test images of
CamVid in the order of their names, clean and in fog of severity 3, in fp32. They are in camvid_counts.npz,
int32 (2 models, 233 images, 2 conditions, 3 of tp, fp and fn, 11 classes). Ten neighbouring images make a
window.
The synthetic ones have 19 or 150 classes whose frequencies fall like 1 / rank, so most classes are rare.
"""

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
WINDOW = 10

FILE = Path(__file__).parents[1] / "data" / "camvid_counts.npz"


def windows(images: Ints) -> Ints:
    """Sum counts (..., N, K, 3, C) over each ten neighbouring images."""
    starts = np.arange(0, images.shape[-4], WINDOW)
    summed: Ints = np.add.reduceat(images, starts, axis=images.ndim - 4)
    return summed


@functools.cache
def camvid() -> Ints:
    """The real counts, int64 (2, 233, 2, 3, 11)."""
    counts: Ints = np.load(FILE)["counts"].astype(np.int64)
    return counts


@functools.cache
def rare_classes(classes: int, images: int = 2400) -> Ints:
    """Synthetic counts of two models of different quality, int64 (2, images, 1, 3, classes).

    Ten neighbouring images share a scene: its classes, and how hard each of them is there. An image has about
    ten classes. A third of the false positives fall on classes that the image does not have.
    """
    rng = np.random.default_rng(classes)
    frequency = 1 / np.arange(1, classes + 1)
    occurs = np.clip(16 * frequency / frequency.sum(), 0.004, 0.98)
    size = rng.lognormal(0, 1, classes) * frequency
    quality = np.log(3 / rng.beta(3, 4, classes).clip(0.05) - 3).clip(-3, 3)
    counts = np.zeros((2, images, 1, 3, classes), np.int64)
    for start in range(0, images, WINDOW):
        scene = rng.random(classes) < occurs
        scene[rng.integers(classes)] = True
        ease = quality + rng.normal(0, 0.6, classes) + rng.normal(0, 0.5)
        for image in range(start, min(start + WINDOW, images)):
            here = scene * size * rng.lognormal(0, 0.8, classes)
            target = np.floor(1e5 * here / here.sum()).astype(np.int64)
            for model in range(2):
                recall = 1 / (1 + np.exp(-ease - rng.normal(0, 0.5, classes) + model))
                tp = np.floor(target * recall).astype(np.int64)
                weights = size * np.where(scene, 1, 0.05) * rng.lognormal(0, 0.7, classes)
                fp = rng.multinomial(int((target - tp).sum()), weights / weights.sum())
                counts[model, image, 0] = tp, fp, target - tp
    return counts
