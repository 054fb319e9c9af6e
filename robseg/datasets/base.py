"""What a data set is: images with targets and ids, read one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.tally import IGNORE_INDEX
from robseg.registry import Registry

__all__ = ["DATASETS", "IGNORE_INDEX", "Dataset", "DatasetCard", "Sample"]


class Sample(NamedTuple):
    """One labelled image: `image` uint8 (H, W, 3) RGB; `target` uint8 (H, W), class ids or IGNORE_INDEX."""

    id: str
    image: NDArray[np.uint8]
    target: NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A split of a data set, opened.

    `read(index)` returns a Sample and can be pickled. `ids` are the images' ids in order; `fingerprint` is a
    hexadecimal digest that changes when the images or targets change. `clusters` names for each image the
    block of related images that it belongs to; it is empty if images are unrelated.
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
        """Return the data set with only its first `limit` images (None: all)."""
        if limit is None:
            return self
        return dataclasses.replace(self, ids=self.ids[:limit], clusters=self.clusters[:limit])

    def thinned(self, every: int) -> Dataset:
        """Return the data set with every `every`-th image, beginning with the first."""
        if every == 1:
            return self
        chosen = slice(None, None, every)
        return dataclasses.replace(
            self, ids=self.ids[chosen], clusters=self.clusters[chosen], read=_Thinned(self.read, every)
        )


@dataclasses.dataclass(frozen=True)
class _Thinned:
    """Read every `every`-th sample; it can be pickled if `read` can."""

    read: Callable[[int], Sample]
    every: int

    def __call__(self, index: int) -> Sample:
        return self.read(index * self.every)


@dataclasses.dataclass(frozen=True)
class DatasetCard:
    """What is known of a data set before it is opened.

    `open(root, split)` checks the layout below `root` (None for a data set that needs no files) and returns a
    Dataset; it raises InputError with the first file that is wrong. `variable` is the environment variable
    that usually holds the data set's root.
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
