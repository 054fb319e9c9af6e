"""Find the images and targets of a data set, and pair them."""

from __future__ import annotations

import functools
import logging
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from robseg.datasets.files.faults import Fault, refuse, some
from robseg.errors import InputError

__all__ = [
    "Pair",
    "composed",
    "every_file",
    "find_pairs",
    "image_stem",
    "list_files",
    "on_disk",
    "pair_up",
    "refuse_spare_targets",
    "unique",
    "walk",
    "without_repeats",
]

notes = logging.getLogger("robseg")

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


class Pair(NamedTuple):
    """The files of an image and its target, with their id."""

    id: str
    image: Path
    target: Path


def every_file(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path below `folder`, file) for all files, except hidden ones and those in hidden folders.

    Links to folders are followed, unless they lead back to a folder that the walk comes from. The paths are
    in Unicode's composed form (NFC), so that names from any system can be compared.
    """
    real = os.path.realpath(folder)
    walked = {os.fspath(folder): (real, _with_parents(real))}  # by folder: its real path, and those it is in
    for parent, folders, names in os.walk(folder, followlinks=True):
        real, around = walked.pop(parent)
        for name in tuple(folders):
            path = os.path.join(parent, name)  # noqa: PTH118  (a data set may have 40,000 names)
            is_link = os.path.islink(path)  # noqa: PTH114
            below = os.path.realpath(path) if is_link else os.path.join(real, name)  # noqa: PTH118
            if name.startswith(".") or below in around:
                folders.remove(name)
            else:
                walked[path] = (below, around | (_with_parents(below) if is_link else {below}))
        where = Path(parent).relative_to(folder).as_posix()
        for name in names:
            if not name.startswith("."):
                yield composed(name if where == "." else f"{where}/{name}"), Path(parent, name)


def _with_parents(path: str) -> frozenset[str]:
    return frozenset({path, *map(str, Path(path).parents)})


def composed(text: str) -> str:
    """Return a text in Unicode's composed form: macOS stores accents apart from their letters."""
    return unicodedata.normalize("NFC", text)


def on_disk(root: Path, text: str) -> Path:
    """Return the path `text` below `root`, in the form of Unicode in which it exists."""
    forms = (root / text, root / composed(text), root / unicodedata.normalize("NFD", text))
    return next((path for path in forms if path.exists()), root / text)


def walk(folder: Path, ending: str = "") -> Iterator[tuple[str, Path]]:
    """Yield (stem, file) for the files anywhere below `folder` whose names end with `ending`, in any case.

    The stem is the path below `folder` without the ending ("aachen/aachen_000001"). If no ending is given,
    all files with an image's suffix are found, and the stem lacks that suffix.
    """
    for path, file in every_file(folder):
        if stem := image_stem(path, ending):
            yield stem, file


def image_stem(path: str, ending: str = "") -> str:
    """Return a file's path without its ending, or "" if it has another ending.

    Examples
    --------
    >>> image_stem("aachen_01_leftImg8bit.png", "_leftImg8bit.png"), image_stem("a.PNG"), image_stem("a.txt")
    ('aachen_01', 'a', '')
    """
    suffix = os.path.splitext(path)[1]  # noqa: PTH122  (a data set may have 40,000 names)
    ending = composed(ending) or (suffix if suffix.lower() in IMAGE_SUFFIXES else "")
    stem = path[: -len(ending)] if ending and path.lower().endswith(ending.lower()) else ""
    return "" if stem.endswith("/") else stem


def find_pairs(
    images: Path, targets: Path, *, image_ending: str = "", target_ending: str = ""
) -> tuple[Pair, ...]:
    """Return the pairs of files with equal stems below two folders (see `walk`), sorted by id.

    Both folders must exist and hold the same stems; the error names the first files without a partner.
    """
    image_files = list_files(images, "images", image_ending)
    target_files = list_files(targets, "targets", target_ending)
    pairs = pair_up(image_files, target_files, lambda stem: f"'{targets / stem}{target_ending or '.png'}'")
    refuse_spare_targets(image_files, target_files, images)
    return pairs


def pair_up(
    images: Mapping[str, Path], targets: Mapping[str, Path], place: Callable[[str], str]
) -> tuple[Pair, ...]:
    """Pair every image with the target of its stem; the error names the first images without one.

    `place` says where the target of a stem is expected.
    """
    alone = {stem: file for stem, file in images.items() if stem not in targets}
    if alone:
        files = [*alone.values()]
        refuse(
            Fault(
                f"Expected a target for every image, but {_lack(files)} none: "
                f"add {place(next(iter(alone)))} or remove the image.",
                "image without target",
                files,
            )
        )
    return tuple(Pair(stem, images[stem], targets[stem]) for stem in sorted(images.keys() & targets.keys()))


def refuse_spare_targets(images: Mapping[str, Path], targets: Mapping[str, Path], folder: Path | str) -> None:
    """Check that every target has an image; `folder` holds the images."""
    alone = [file for stem, file in targets.items() if stem not in images]
    if alone:
        refuse(
            Fault(
                f"Expected an image for every target, but {_lack(alone)} none in '{folder}': "
                "add the image or remove the target.",
                "target without image",
                alone,
            )
        )


def _lack(files: Sequence[Path]) -> str:
    return f"{some(files)} {'has' if len(files) == 1 else 'have'}"


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
            message = f"Expected file names in UTF-8, but got {str(file)!r}: rename it."
            refuse(Fault(message, "name that is not UTF-8", [file]))
            continue
        if stem in found:
            message = (
                f"Expected one file for '{stem}', but got '{found[stem]}' and '{file}': remove or rename one."
            )
            refuse(Fault(message, "two files of one id", [found[stem], file]))
        found.setdefault(stem, file)
    return found


def without_repeats(pairs: Iterable[Pair], root: Path) -> tuple[Pair, ...]:
    """Return the pairs, sorted, without those that are another pair reached through a linked folder."""

    @functools.cache
    def real(folder: Path) -> str:
        return os.path.realpath(folder)

    def is_linked(folder: Path) -> bool:
        return real(folder) != os.path.join(real(root), os.path.relpath(folder, root))  # noqa: PTH118

    kept: dict[tuple[str, str, str, str], Pair] = {}
    repeats: list[tuple[Pair, Pair]] = []
    for pair in sorted(pairs, key=lambda pair: (is_linked(pair.image.parent), pair)):
        files = (real(pair.image.parent), pair.image.name, real(pair.target.parent), pair.target.name)
        if kept.setdefault(files, pair) is not pair:
            repeats.append((pair, kept[files]))
    if repeats:
        again, pair = repeats[0]
        notes.info(
            "Images that are reached twice through links count once: %d, such as '%s', which is '%s'.",
            len(repeats),
            again.id,
            pair.id,
        )
    return tuple(sorted(kept.values()))
