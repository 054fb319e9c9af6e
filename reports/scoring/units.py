"""The units of a run: the images, or blocks of images, that are taken as independent draws from the world."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "Units", "generator", "units_of"]

MOST = 1000  # units; beyond it neighbours are put together, which changes no interval visibly


@dataclasses.dataclass(frozen=True)
class Units:
    """The units of N images: `count` of them, and `place` (N,), the index of each image's unit.

    `kind` says what they are: "image", "cluster", or "group" if there were more than MOST of these.
    """

    kind: str
    count: int
    place: NDArray[np.intp]

    def sums(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return counts of images (..., N, L), added up by unit, (..., count, L)."""
        if self.count == counts.shape[-2]:
            return counts
        found = np.zeros((*counts.shape[:-2], self.count, counts.shape[-1]), np.int64)
        np.add.at(found.swapaxes(-2, 0), self.place, counts.swapaxes(-2, 0))
        return found


def units_of(images: Sequence[str], clusters: Sequence[str]) -> Units:
    """Return the units of a run: the `clusters` of its images, or if empty the images.

    Examples
    --------
    >>> units_of(["a", "b", "c"], ["day", "day", "night"])
    Units(kind='cluster', count=2, place=array([0, 0, 1]))
    """
    names: Sequence[Any] = clusters or images
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    size = -(-len(places) // MOST)
    kind = "group" if size > 1 else "cluster" if clusters else "image"
    place = np.array([places[name] // size for name in names], np.intp)
    return Units(kind, int(place.max()) + 1, place)


def generator(images: Sequence[str], clusters: Sequence[str]) -> np.random.Generator:
    """Return a generator whose draws depend only on the names of a run's images and of their clusters."""
    names = json.dumps([list(images), list(clusters)]).encode()
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(names, digest_size=16).digest(), "little"))
