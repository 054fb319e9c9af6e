"""Find the images and targets of a data set, and pair them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from robseg.errors import InputError

__all__ = ["Pair", "find_pairs", "image_stem", "list_files", "pair_up", "unique"]

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


class Pair(NamedTuple):
    """The files of an image and its target, with their id."""

    id: str
    image: Path
    target: Path


def walk(folder: Path, ending: str = "") -> Iterator[tuple[str, Path]]:
    """Yield (stem, file) for the files anywhere below `folder` whose names end with `ending`.

    The stem is the path below `folder` without the ending ("aachen/aachen_000001"). If no ending is given,
    all files with an image's suffix are found, and the stem lacks that suffix. Hidden files and folders are
    skipped.
    """
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        where = Path(parent).relative_to(folder).as_posix()
        for name in names:
            if stem := image_stem(name, ending):
                yield stem if where == "." else f"{where}/{stem}", Path(parent, name)


def image_stem(name: str, ending: str = "") -> str:
    """Return a file's name without its ending, or "" if it is hidden or has another ending.

    Examples
    --------
    >>> image_stem("aachen_01_leftImg8bit.png", "_leftImg8bit.png"), image_stem("a.PNG"), image_stem("a.txt")
    ('aachen_01', 'a', '')
    """
    suffix = os.path.splitext(name)[1]  # noqa: PTH122  (a data set may have 40,000 names)
    ending = ending or (suffix if suffix.lower() in IMAGE_SUFFIXES else "")
    return name[: -len(ending)] if ending and name.endswith(ending) and not name.startswith(".") else ""


def find_pairs(
    images: Path, targets: Path, *, image_ending: str = "", target_ending: str = ""
) -> tuple[Pair, ...]:
    """Return the pairs of files with equal stems below two folders (see `walk`), sorted by id.

    Both folders must exist and hold the same stems; the error names the first file without a partner.
    """
    image_files = list_files(images, "images", image_ending)
    target_files = list_files(targets, "targets", target_ending)
    pairs = pair_up(image_files, target_files, targets, target_ending)
    for stem, file in target_files.items():
        if stem not in image_files:
            raise InputError(
                f"Expected an image for every target, but '{file}' has none in '{images}': "
                "add the image or remove the target."
            )
    return pairs


def pair_up(
    images: Mapping[str, Path], targets: Mapping[str, Path], target_folder: Path, target_ending: str = ""
) -> tuple[Pair, ...]:
    """Pair every image with the target of its stem; the error names the first image without one."""
    for stem, file in images.items():
        if stem not in targets:
            raise InputError(
                f"Expected a target for every image, but '{file}' has none: "
                f"add '{target_folder / stem}{target_ending or '.png'}' or remove the image."
            )
    return tuple(Pair(stem, images[stem], targets[stem]) for stem in sorted(images))


def list_files(folder: Path, what: str, ending: str = "") -> dict[str, Path]:
    """Return {stem: file} for all files that `walk` finds, sorted; there must be at least one."""
    if not folder.is_dir():
        raise InputError(
            f"Expected a folder of {what} '{folder}', but there is no such folder: check the root and split."
        )
    files = unique(sorted(walk(folder, ending)))
    if not files:
        raise InputError(
            f"Expected {what} named '*{ending or '.png'}' in '{folder}', but found none: fill the folder, "
            "or choose another split."
        )
    return files


def unique(files: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Return {id: file}; if two files have the same id, the error names both.

    Ids are written to files in UTF-8.
    """
    found: dict[str, Path] = {}
    for stem, file in files:
        try:
            stem.encode()
        except UnicodeEncodeError:
            raise InputError(f"Expected file names in UTF-8, but got {str(file)!r}: rename it.") from None
        if stem in found:
            raise InputError(
                f"Expected one file for '{stem}', but got '{found[stem]}' and '{file}': remove or rename one."
            )
        found[stem] = file
    return found
