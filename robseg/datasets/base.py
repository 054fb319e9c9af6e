"""What a data set is: named images with targets, read one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from robseg.registry import Registry

__all__ = ["DATASETS", "IGNORE_INDEX", "Dataset", "DatasetCard", "Sample"]

IGNORE_INDEX = 255


class Sample(NamedTuple):
    """One labelled image: `image` uint8 (H, W, 3) RGB; `target` uint8 (H, W), class ids or IGNORE_INDEX."""

    id: str
    image: NDArray[np.uint8]
    target: NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A split of a data set, opened.

    `read(index)` returns a Sample and can be sent to another process (it is picklable). `ids` are the images'
    ids in order; `fingerprint` is a hex digest that changes when the images or targets do. `clusters` names
    for each image the block of images that it belongs with; none where images have nothing to do with
    each other.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    ids: tuple[str, ...]
    read: Callable[[int], Sample]
    fingerprint: str
    citation: str = ""
    clusters: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """The number of classes; targets hold 0..num_classes-1 or IGNORE_INDEX."""
        return len(self.class_names)

    def __len__(self) -> int:
        return len(self.ids)

    def head(self, limit: int | None) -> Dataset:
        """Return the same data set with its first `limit` images only (None: all of them)."""
        if limit is None:
            return self
        return dataclasses.replace(self, ids=self.ids[:limit], clusters=self.clusters[:limit])

    def thinned(self, every: int) -> Dataset:
        """Return the same data set with every so many-th image only, from the first on."""
        if every == 1:
            return self
        chosen = slice(None, None, every)
        return dataclasses.replace(
            self, ids=self.ids[chosen], clusters=self.clusters[chosen], read=_Thinned(self.read, every)
        )


@dataclasses.dataclass(frozen=True)
class _Thinned:
    """Read every so many-th sample; picklable where `read` is."""

    read: Callable[[int], Sample]
    every: int

    def __call__(self, index: int) -> Sample:
        return self.read(index * self.every)


@dataclasses.dataclass(frozen=True)
class DatasetCard:
    """What is known of a data set before it is opened.

    `open(root, split)` checks the layout below `root` (None for a data set that needs no files) and returns a
    Dataset; it raises InputError naming the first file that is wrong. `variable` is the environment variable
    in which the data set's users usually keep its root.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    splits: tuple[str, ...]
    default_split: str
    open: Callable[[Path | None, str], Dataset]
    needs_root: bool = True
    variable: str = ""
    licence: str = ""
    citation: str = ""


# The data set that needs no download comes first: it is the default one.
DATASETS: Registry[DatasetCard] = Registry(
    "data set", "robseg.datasets", "CARD", besides=("base", "files"), first="streets"
)
