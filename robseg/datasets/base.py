"""What a data set is: images with targets and ids, read one by one."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from reports.run.tally import IGNORE_INDEX
from robseg.errors import InputError
from robseg.registry import Registry

__all__ = ["DATASETS", "IGNORE_INDEX", "Dataset", "DatasetCard", "Sample"]


Answer = TypeVar("Answer")


class Sample(NamedTuple):
    """One labelled image: `image` uint8 (H, W, 3) RGB; `target` uint8 (H, W), class ids or IGNORE_INDEX."""

    id: str
    image: NDArray[np.uint8]
    target: NDArray[np.uint8]


def _always(_index: int) -> bool:
    return True


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A split of a data set, opened.

    `read(index)` returns a Sample and can be pickled. `ids` are the images' ids in order; `fingerprint` is a
    hexadecimal digest that changes when the images or targets change. `labels` has the class of each label
    value or colour that files of targets may hold; the fingerprint does not depend on it. `clusters` names
    for each image the block of related images that it belongs to; it is empty if images are unrelated.
    `total` is the number of images of the whole split if this is a part of it, else 0. `is_unchanged(index)`
    returns whether an image and its target are as they were when the data set was opened. `threadsafe` is
    whether several threads may call `read` at once.
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
    total: int = 0
    labels: tuple[tuple[str, int], ...] = ()
    is_unchanged: Callable[[int], bool] = dataclasses.field(default=_always, compare=False)
    threadsafe: bool = False

    @property
    def num_classes(self) -> int:
        """The number of classes; targets hold 0..num_classes-1 or IGNORE_INDEX."""
        return len(self.class_names)

    @property
    def identity(self) -> str:
        """A hexadecimal digest that changes with the fingerprint and with the meaning of labels."""
        if not self.labels:
            return self.fingerprint
        both = json.dumps([self.fingerprint, self.labels])
        return hashlib.blake2b(both.encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return len(self.ids)

    def refuse_changes(self, indices: Iterable[int]) -> None:
        """Check that images and their targets are as they were when the data set was opened.

        Raises
        ------
        InputError
            If some are not; the message names up to three.
        """
        changed = [self.ids[index] for index in indices if not self.is_unchanged(index)]
        if changed:
            shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
            raise InputError(
                f"Expected the images of {self.name} to stay as they are while they are read, but {shown} "
                "changed: restore them and run the same command again, or start with another --out."
            )

    def spread(self, limit: int | None) -> Dataset:
        """Return the data set with only `limit` images that are spread evenly over it (None: all).

        A larger limit keeps the images of a smaller one.
        """
        if limit is None or limit >= len(self):
            return self
        return self._only(sorted(itertools.islice(_evenly(len(self)), limit)))

    def thinned(self, every: int) -> Dataset:
        """Return the data set with every `every`-th image, beginning with the first."""
        return self if every == 1 else self._only(range(0, len(self), every))

    def _only(self, places: Sequence[int]) -> Dataset:
        return dataclasses.replace(
            self,
            ids=tuple(self.ids[place] for place in places),
            clusters=tuple(self.clusters[place] for place in places) if self.clusters else (),
            read=_Chosen(self.read, tuple(places)),
            is_unchanged=_Chosen(self.is_unchanged, tuple(places)),
            total=self.total or len(self),
        )


@dataclasses.dataclass(frozen=True)
class _Chosen(Generic[Answer]):
    """A function of an index, at some places only; it can be pickled if the function can."""

    function: Callable[[int], Answer]
    places: tuple[int, ...]

    def __call__(self, index: int) -> Answer:
        return self.function(self.places[index])


def _evenly(number: int) -> Iterator[int]:
    """Yield each of 0..number-1 once, the first ones spread evenly: van der Corput's sequence.

    Examples
    --------
    >>> list(_evenly(5))
    [0, 2, 1, 3, 4]
    """
    bits = max(1, (number - 1).bit_length())
    reversed_bits = (int(f"{place:0{bits}b}"[::-1], 2) for place in range(1 << bits))
    yield from dict.fromkeys(place * number >> bits for place in reversed_bits)


@dataclasses.dataclass(frozen=True)
class DatasetCard:
    """What is known of a data set before it is opened.

    `open(root, split)` checks the layout below `root` (None for a data set that needs no files) and returns a
    Dataset; it raises InputError with the first file that is wrong. `variable` is the environment variable
    that usually holds the data set's root. `names_own_splits` is true if its files may define more splits
    than `splits`. `palette` has a colour for each class.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    splits: tuple[str, ...]
    default_split: str
    open: Callable[[Path | None, str], Dataset]
    needs_root: bool = True
    names_own_splits: bool = False
    variable: str = ""
    licence: str = ""
    citation: str = ""
    palette: tuple[tuple[int, int, int], ...] = ()


# The data set that needs no download comes first: it is the default one.
DATASETS: Registry[DatasetCard] = Registry(
    "data set", "robseg.datasets", "CARD", besides=("base", "files", "given", "samples"), first="streets"
)
