"""Read pairs of files as Samples."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robseg.datasets.base import Dataset, Sample
from robseg.datasets.files.card import FileCard
from robseg.datasets.files.layout import Pair, fingerprint, unique
from robseg.datasets.files.pixels import Labels, read_image
from robseg.errors import InputError

__all__ = ["PairReader", "open_pairs"]


@dataclasses.dataclass(frozen=True)
class PairReader:
    """Read pair `index` as a Sample; it can be pickled."""

    pairs: tuple[Pair, ...]
    labels: Labels

    def __call__(self, index: int) -> Sample:
        """Decode and check the files of a pair."""
        pair = self.pairs[index]
        image, target = read_image(pair.image), self.labels.read(pair.target)
        if image.shape[:2] != target.shape:
            raise InputError(
                f"Expected image and target of one size, but '{pair.image}' has {_size(image)} and "
                f"'{pair.target}' has {_size(target)} (height x width): replace the wrong one."
            )
        return Sample(pair.id, image, target)


def open_pairs(card: FileCard, root: Path, split: str, pairs: Iterable[Pair], labels: Labels) -> Dataset:
    """Return the data set of these pairs, sorted by id; two pairs with the same id are an error."""
    pairs = tuple(sorted(pairs))
    unique((pair.id, pair.image) for pair in pairs)
    return Dataset(
        name=card.name,
        split=split,
        class_names=card.class_names,
        palette=card.palette,
        ids=tuple(pair.id for pair in pairs),
        read=PairReader(pairs, labels),
        fingerprint=fingerprint(root, pairs, json.dumps([card.class_names, labels.definition])),
        citation=card.citation,
    )


def _size(array: NDArray[np.uint8]) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
