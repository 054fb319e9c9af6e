"""Read pairs of files as Samples."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robseg.datasets.base import Dataset, Sample
from robseg.datasets.files.card import FileCard
from robseg.datasets.files.contents import Content, contents, is_unchanged
from robseg.datasets.files.exif import turns
from robseg.datasets.files.faults import Fault, refuse, some
from robseg.datasets.files.headers import read_header
from robseg.datasets.files.layout import Pair, unique, without_repeats
from robseg.datasets.files.pixels import IndexLabels, Labels, read_image, read_oriented, turned
from robseg.errors import InputError

__all__ = ["PairReader", "open_pairs"]

notes = logging.getLogger("robseg")


@dataclasses.dataclass(frozen=True)
class PairReader:
    """Read pair `index` as a Sample; it can be pickled.

    `turns` is whether an image is turned as its EXIF orientation says if its target fits both ways.
    """

    pairs: tuple[Pair, ...]
    contents: tuple[tuple[Content, Content], ...]
    labels: Labels
    turns: bool = True

    def __call__(self, index: int) -> Sample:
        """Decode and check the files of a pair."""
        pair = self.pairs[index]
        image, orientation = read_oriented(pair.image)
        target = self.labels.read(pair.target)
        upright = turned(image, orientation)
        fits_both_ways = image.shape == upright.shape
        if upright.shape[:2] == target.shape and (self.turns or not fits_both_ways):
            image = upright
        if image.shape[:2] != target.shape:
            raise InputError(
                f"Expected image and target of one size, but '{pair.image}' has {_size(image)} and "
                f"'{pair.target}' has {_size(target)} (height x width): replace the wrong one."
            )
        return Sample(pair.id, image, target)

    def is_unchanged(self, index: int) -> bool:
        """Return whether the files of a pair have the contents that they had when the data set was opened."""
        pair, (image, target) = self.pairs[index], self.contents[index]
        return is_unchanged(pair.image, image) and is_unchanged(pair.target, target)


def open_pairs(card: FileCard, root: Path, split: str, pairs: Iterable[Pair], labels: Labels) -> Dataset:
    """Return the data set of these pairs, sorted by id; two pairs with the same id are an error."""
    pairs = tuple(pairs)
    unique((pair.id, pair.image) for pair in sorted(pairs))
    pairs = _openable(without_repeats(pairs, root))
    images, targets = contents([pair.image for pair in pairs]), contents([pair.target for pair in pairs])
    if isinstance(labels, IndexLabels):
        _compare_palettes({target.palette: pair.target for pair, target in zip(pairs, targets, strict=True)})
    found = tuple(zip(images, targets, strict=True))
    _refuse_unfit(pairs, found)
    reader = PairReader(pairs, found, labels, turns(pairs, found))
    return Dataset(
        name=card.name,
        split=split,
        class_names=card.class_names,
        palette=card.palette,
        ids=tuple(pair.id for pair in pairs),
        read=reader,
        is_unchanged=reader.is_unchanged,
        fingerprint=_fingerprint(root, reader, card.class_names),
        citation=card.citation,
        labels=labels.meanings,
        threadsafe=True,
    )


def _openable(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs whose files can be opened; a link may lead nowhere."""
    closed = sorted(
        {file for pair in pairs for file in (pair.image, pair.target) if not os.access(file, os.R_OK)}
    )
    if closed:
        message = f"Expected readable files, but cannot open {some(closed)}: check links and permissions."
        refuse(Fault(message, "file that cannot be opened", closed))
    return tuple(pair for pair in pairs if pair.image not in closed and pair.target not in closed)


def _refuse_unfit(pairs: Sequence[Pair], contents: Sequence[tuple[Content, Content]]) -> None:
    """Check what the headers of the files say, so that no run stops at a file that is no image or misfits."""
    for pair, both in zip(pairs, contents, strict=True):
        for file, content in zip((pair.image, pair.target), both, strict=True):
            # a kept header is empty too if the file was once larger than allowed
            if content.size == (0, 0) and read_header(file).height == 0:
                _refuse_unreadable(file)
    misfits = [
        (pair, image, target)
        for pair, (image, target) in zip(pairs, contents, strict=True)
        if target.size not in (image.size, image.upright_size) and (0, 0) not in (image.size, target.size)
    ]
    if misfits:
        pair, image, target = misfits[0]
        more = f", and {len(misfits) - 1} more pairs differ" if len(misfits) > 1 else ""
        message = (
            f"Expected image and target of one size, but '{pair.image}' has {image.height}x{image.width} and "
            f"'{pair.target}' has {target.height}x{target.width} (height x width){more}: "
            "replace the wrong ones."
        )
        refuse(Fault(message, "image and target of different sizes", [pair.image for pair, _, _ in misfits]))


def _refuse_unreadable(file: Path) -> None:
    try:
        read_image(file)
    except InputError as error:
        refuse(Fault(str(error), "file that cannot be read", [file]))


def _compare_palettes(targets: Mapping[str, Path]) -> None:
    """Warn if an index has different colours in two targets; `targets` has one file for each palette."""
    palettes = {file: read_header(file).palette for file in targets.values()}
    longest = max(palettes, key=lambda file: len(palettes[file]))
    for file, palette in palettes.items():
        if not palettes[longest].startswith(palette):  # a palette may end with the last index in use
            notes.warning(
                "The palettes of '%s' and '%s' differ, and targets are read by the index of a pixel, not by "
                "its colour: if an index is not the same class in both, save the targets with one palette, "
                "or declare colours without ids in a dataset.toml.",
                file,
                longest,
            )
            return


def _fingerprint(root: Path, reader: PairReader, class_names: tuple[str, ...]) -> str:
    """Return a digest of a split: its classes, and the paths and contents of its files.

    It is the 16-byte BLAKE2b of the names of the classes and one line for each file.
    """
    digest = hashlib.blake2b(json.dumps(class_names).encode(), digest_size=16)
    for pair, (image, target) in zip(reader.pairs, reader.contents, strict=True):
        for file, content in ((pair.image, image), (pair.target, target)):
            path = Path(os.path.relpath(file, root)).as_posix()
            digest.update(f"\n{path} {content.digest}".encode())
    return digest.hexdigest()


def _size(array: NDArray[np.uint8]) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
