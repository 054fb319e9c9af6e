"""Make a data set of images and targets that lie in memory, or of a data set of PyTorch."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from reports.run.typed import shown
from robseg.datasets.base import IGNORE_INDEX, Dataset, Sample
from robseg.datasets.files.description import spare_colour
from robseg.datasets.given import array_of, image_of, target_of
from robseg.errors import InputError

__all__ = ["as_dataset", "has_samples"]


def has_samples(data: object) -> bool:
    """Return whether a data set can be made of an object, as far as its type tells."""
    return hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, str | dict)


def as_dataset(
    data: Any,
    class_names: Sequence[str],
    *,
    name: str = "data",
    ids: Sequence[str] = (),
    clusters: Sequence[str] = (),
    ignore: Sequence[int] = (),
) -> Dataset:
    """Return a data set of labelled images that Python holds.

    All samples are read once, here, so that counts of other images or targets are never mixed with theirs.

    Parameters
    ----------
    data
        (images, targets), two sequences of one length; or anything with a length that gives (image, target)
        by index, such as a data set of PyTorch. Images are RGB or grey, channels last or first, bytes or
        floats from 0 to 1. Targets are whole numbers (H, W). Both may be arrays, tensors or PIL images.
    class_names
        The name of each class; targets hold its place in this list.
    name
        The name of the data set in tables and reports.
    ids
        A name for each image, from which random corruptions draw. Without them, images are numbered.
    clusters
        For each image the name of the block of related images, such as a drive, that it belongs to.
    ignore
        Label values that are not scored, such as -100, besides 255.

    Raises
    ------
    InputError
        If an image or target is not what it must be.

    Examples
    --------
    >>> images, targets = np.zeros((2, 4, 6, 3), np.uint8), np.array([np.zeros((4, 6)), np.ones((4, 6))], int)
    >>> dataset = as_dataset((images, targets), ["road", "sky"])
    >>> len(dataset), dataset.ids, dataset.read(1).target.max()
    (2, ('0', '1'), np.uint8(1))
    """
    if isinstance(data, tuple) and len(data) == 2:
        if all(isinstance(side, tuple) and len(side) == 2 for side in data):
            raise InputError(
                "Expected (images, targets), or a list of pairs (image, target), but got two tuples of two, "
                "which could be either: give lists."
            )
        data = _Zipped(*data)
    if not has_samples(data):
        raise InputError(
            f"Expected (images, targets), or a data set with a length that gives (image, target) by index, "
            f"but got {type(data).__name__}: put what it gives into a list."
        )
    for what, values in (
        ("class_names", class_names),
        ("ids", ids),
        ("clusters", clusters),
        ("ignore", ignore),
    ):
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            raise InputError(
                f"Expected `{what}` to be a list, but got {shown(values)}: put it into brackets."
            )
    ids = tuple(map(str, ids)) or tuple(map(str, range(len(data))))
    if len(ids) != len(data):
        raise InputError(f"Expected an id for each of the {len(data)} images, but got {len(ids)}.")
    classes = tuple(class_names)
    samples = _Samples(data, ids, len(classes), tuple(ignore))
    digests = tuple(samples.digest(samples.convert(index)) for index in range(len(ids)))
    return Dataset(
        name=name,
        split="all",
        class_names=classes,
        palette=tuple(spare_colour(place + 1) for place in range(len(classes))),
        ids=ids,
        read=dataclasses.replace(samples, digests=digests),
        fingerprint=samples.digest(ids, classes, digests),
        clusters=tuple(map(str, clusters)),
    )


@dataclasses.dataclass(frozen=True)
class _Zipped:
    """Images and targets as one sequence of pairs."""

    images: Any
    targets: Any

    def __post_init__(self) -> None:
        counts = [len(side) if has_samples(side) else None for side in (self.images, self.targets)]
        if None in counts or counts[0] != counts[1]:
            raise InputError(
                "Expected images and targets of one length, but got "
                f"{' and '.join('no sequence' if count is None else str(count) for count in counts)}: "
                "give a target for each image."
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.images[index], self.targets[index]


@dataclasses.dataclass(frozen=True)
class _Samples:
    """Read a sample and check that it is the one that was read at first."""

    data: Any
    ids: tuple[str, ...]
    num_classes: int
    ignore: tuple[int, ...]
    digests: tuple[str, ...] = ()

    def __call__(self, index: int) -> Sample:
        sample = self.convert(index)
        if self.digest(sample) != self.digests[index]:
            raise InputError(
                f"Expected the data set to give the same image and target each time, but those of "
                f"{sample.id} differ from before: leave out random transforms."
            )
        return sample

    def convert(self, index: int) -> Sample:
        """Return a sample as bytes."""
        name, pair = self.ids[index], self.data[index]
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(
                f"Expected the data set to give (image, target), but got {shown(type(pair).__name__)} for "
                f"{name}: give these two."
            )
        image, labels = pair
        if self.ignore:
            values = array_of(labels, f"the target of {name}")
            labels = np.where(np.isin(values, self.ignore), np.int64(IGNORE_INDEX), values)
        target = target_of(labels, self.num_classes, name)
        return Sample(name, image_of(image, target.shape, name), target)

    @staticmethod
    def digest(*parts: Any) -> str:
        """Return a digest of samples or texts."""
        digest = hashlib.blake2b(digest_size=16)
        for part in parts:
            for value in part:
                is_array = isinstance(value, np.ndarray)
                digest.update(repr(value.shape if is_array else value).encode())
                if is_array:
                    digest.update(value.tobytes())
        return digest.hexdigest()
