"""Find a data set's files: its root, and below it the images and targets in checked pairs."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from robseg.datasets.base import DatasetCard
from robseg.errors import InputError

__all__ = ["FileCard", "Pair", "find_pairs", "find_root", "fingerprint", "unique", "walk"]

ROOT_VARIABLE = "ROBSEG_DATA_ROOT"
IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


@dataclasses.dataclass(frozen=True)
class FileCard(DatasetCard):
    """The card of a data set that is read from files: `layout` says in one line what its root holds."""

    palette: tuple[tuple[int, int, int], ...] = ()
    layout: str = ""


class Pair(NamedTuple):
    """An image's file and its target's, under the id of both."""

    id: str
    image: Path
    target: Path


def find_root(card: DatasetCard, root: Path | None) -> Path:
    """Return where the data set is kept: `root`, else $ROBSEG_DATA_ROOT/<name>, else the card's own variable.

    A variable that points to nothing is passed over; an explicit `root` that does not exist is an error.
    """
    layout = f" holding {card.layout}" if isinstance(card, FileCard) and card.layout else ""
    if root is not None:
        root = Path(root).expanduser()
        if not root.exists():
            raise InputError(
                f"Expected the root of {card.name}{layout}, but '{root}' does not exist: correct the path."
            )
        return root
    for place in _usual_places(card):
        if place.exists():
            return place
    tried = "".join(f", '{place}' does not exist" for place in _usual_places(card))
    own = f", or set {card.variable}" if card.variable else ""
    raise InputError(
        f"Expected the root of {card.name}{layout}, but got none{tried}:\n"
        f"pass it (--data-root DIR, in Python root=), or set {ROOT_VARIABLE} to a folder that holds "
        f"'{card.name}'{own}."
    )


def _usual_places(card: DatasetCard) -> Iterator[Path]:
    if shared := os.environ.get(ROOT_VARIABLE):
        yield Path(shared).expanduser() / card.name
    if card.variable and (own := os.environ.get(card.variable)):
        yield Path(own).expanduser()


def walk(folder: Path, ending: str = "") -> Iterator[tuple[str, Path]]:
    """Yield (stem, file) for the files anywhere below `folder` whose names end with `ending`.

    The stem is the path below `folder` without the ending ("aachen/aachen_000001"). With no ending given,
    every file with an image's suffix counts and the suffix is cut off. Hidden files and folders do not count.
    """
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            cut = ending if ending else _image_suffix(name)
            if cut and name.endswith(cut) and len(name) > len(cut) and not name.startswith("."):
                file = Path(parent, name)
                yield file.relative_to(folder).as_posix()[: -len(cut)], file


def _image_suffix(name: str) -> str:
    suffix = Path(name).suffix
    return suffix if suffix.lower() in IMAGE_SUFFIXES else ""


def find_pairs(
    images: Path, targets: Path, *, image_ending: str = "", target_ending: str = ""
) -> tuple[Pair, ...]:
    """Return the pairs of equal stem below two folders (see `walk`), sorted by id.

    Both folders must exist and hold the same stems; the error names the first file that has no partner.
    """
    image_files = _files(images, image_ending, "images")
    target_files = _files(targets, target_ending, "targets")
    for stem, file in image_files.items():
        if stem not in target_files:
            wanted = f"{targets / stem}{target_ending or '.png'}"
            raise InputError(
                f"Expected a target for every image, but '{file}' has none: "
                f"add '{wanted}' or remove the image."
            )
    for stem, file in target_files.items():
        if stem not in image_files:
            raise InputError(
                f"Expected an image for every target, but '{file}' has none below '{images}': "
                "add the image or remove the target."
            )
    return tuple(Pair(stem, file, target_files[stem]) for stem, file in sorted(image_files.items()))


def _files(folder: Path, ending: str, what: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(
            f"Expected a folder of {what} '{folder}', but there is none: check the root and the split."
        )
    files = unique(walk(folder, ending))
    if not files:
        raise InputError(
            f"Expected {what} named '*{ending or '.png'}' in '{folder}', but found none: fill the folder, "
            "or choose another split."
        )
    return files


def unique(files: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Return {id: file}; two files of one id are an error that names both."""
    found: dict[str, Path] = {}
    for stem, file in files:
        if stem in found:
            raise InputError(
                f"Expected one file for '{stem}', but got '{found[stem]}' and '{file}': remove or rename one."
            )
        found[stem] = file
    return found


def fingerprint(root: Path, pairs: Iterable[Pair], definition: str) -> str:
    """Return a hex digest of a split: its files' paths below `root` and sizes in bytes, and its classes.

    BLAKE2b, 16 bytes, over `definition` (what the classes are and how labels map to them) and one line per
    file. Contents are not read, so an edit that keeps a file's size to the byte goes unseen.
    """
    digest = hashlib.blake2b(definition.encode(), digest_size=16)
    for pair in sorted(pairs):
        for file in (pair.image, pair.target):
            path = Path(os.path.relpath(file, root)).as_posix()
            digest.update(f"\n{path} {_size(file)}".encode())
    return digest.hexdigest()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise InputError(f"Expected a readable file '{file}', but got: {error.strerror}.") from error
