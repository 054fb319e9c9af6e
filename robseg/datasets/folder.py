"""A user's own images and targets, described by a `dataset.toml` beside them.

    name = "yard"
    images = "photos"                # a folder, or a pattern such as "seq*/Images/{id}.jpg"
    targets = "masks"                # a folder, or a pattern such as "seq*/Labels/{id}_mask.png"
    image_suffix = "_rgb.jpg"        # optional: what follows the id in the names of the images ...
    target_suffix = "_mask.png"      # ... and of the targets, if it is more than .png, .jpg, ...
    list = "val.txt"                 # optional: a text file of the images to take, one name a line
    ignore = [255]                   # optional: label values (or colours) that are not scored

    [[classes]]                      # in the order of the model's outputs
    name = "grass"
    id = 1                           # the value of the class in index masks
    color = [0, 128, 0]              # without `id`: the class's colour in colour masks; with it: for display

    [[classes]]
    name = "road"
    id = [2, 3]                      # several values (or colours: [[0, 0, 9], [0, 0, 8]]) are one class

Paths are relative to the file's folder. Either every class has an `id` and targets are single-channel index
masks, or none has one and targets are RGB colour masks. Undeclared values and colours are errors.

Label values may be whole numbers of up to 32 bits, such as 65535, -1 or 24001. They are what the file holds:
a PNG has 0 to 255 or 0 to 65535, and only a TIFF of 16 or 32 bits has negative ones. (-1 is 255 in 8 bits.)

Folders are searched with their sub-folders, and a target has its image's path and name. In a pattern, `*`,
`?`, `[...]` and `**` mean what they mean in a shell, and `{id}` is any text without a slash, the same text
wherever it stands. If both sides are patterns, a target has the same text as its image in the place of every
wildcard. Upper and lower case are not told apart in patterns and suffixes. A file that fits both sides
(`x_mask.png` fits `{id}.png` too) belongs to the side that says more about its name.

`{split}` in `images`, `targets` or `list` is the name that `--split` gives: "{split}/images", "{split}.txt".
Every image needs a target. A target without an image is an error too, unless there is a list or `images` is a
pattern. Files in the folders that the description leaves out are counted in one line.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from robseg.datasets.base import Dataset
from robseg.datasets.files.card import FileCard, find_root
from robseg.datasets.files.description import Description, read_description
from robseg.datasets.files.layout import (
    Pair,
    every_file,
    list_files,
    on_disk,
    pair_up,
    refuse_spare_targets,
    unique,
)
from robseg.datasets.files.lists import choose
from robseg.datasets.files.patterns import Pattern, is_pattern
from robseg.datasets.files.reader import open_pairs
from robseg.errors import InputError

__all__ = ["CARD", "SPLIT", "splits_in"]

notes = logging.getLogger("robseg")

SPLIT = "{split}"


def open_folder(root: Path | None, split: str) -> Dataset:
    """Open the data set that a dataset.toml describes; `root` is that file or the folder that holds it."""
    file = _file(root)
    described = _of_split(read_description(file), split, file)
    card = dataclasses.replace(
        CARD, name=described.name, class_names=described.class_names, palette=described.palette
    )
    return open_pairs(card, file.parent, split, _pairs(file, described), described.labels)


def splits_in(root: Path | None) -> list[str]:
    """Return the splits that a dataset.toml and its folder name; there are none if it describes one set."""
    file = _file(root)
    texts = [text for text in _texts(read_description(file)).values() if SPLIT in text]
    return _splits(file.parent, texts) if texts else []


def _file(root: Path | None) -> Path:
    root = find_root(CARD, root)
    file = root / "dataset.toml" if root.is_dir() else root
    if not file.is_file():
        raise InputError(
            f"Expected '{file}' to describe the data set, but there is no such file: write it, or have a "
            "first one written by `robseg check --init FOLDER`."
        )
    return file


def _texts(described: Description) -> dict[str, Any]:
    return {key: getattr(described, key) for key in ("images", "targets", "list")}


def _of_split(described: Description, split: str, file: Path) -> Description:
    """Return the description with the name of a split in the place of `{split}`."""
    texts = _texts(described)
    split_texts = [text for text in texts.values() if SPLIT in text]
    if not split_texts and split != CARD.default_split:
        raise InputError(
            f"Expected no split '{split}', since '{file}' describes a single one: write {SPLIT} where the "
            "split's name stands in `images`, `targets` or `list`, or leave --split out."
        )
    if split_texts and split == CARD.default_split:
        raise InputError(
            f"Expected a split, since '{file}' has {SPLIT}: give --split NAME "
            f"({', '.join(_splits(file.parent, split_texts)) or 'none was found'})."
        )
    named = {key: text.replace(SPLIT, split) for key, text in texts.items()}
    return dataclasses.replace(described, **named)


def _splits(root: Path, texts: list[str]) -> list[str]:
    """Return the names in the place of `{split}` for which all folders and files of the texts exist."""
    parts = PurePosixPath(texts[0]).parts
    place = next(i for i, part in enumerate(parts) if SPLIT in part)
    before, after = parts[place].split(SPLIT, 1)
    found = root.joinpath(*parts[:place]).glob(f"{before}*{after}")
    names = sorted(
        file.name[len(before) : len(file.name) - len(after)] for file in found if file.is_dir() or after
    )
    return [
        name for name in names if all(_folder(root, text.replace(SPLIT, name)).exists() for text in texts)
    ]


def _pairs(file: Path, described: Description) -> tuple[Pair, ...]:
    root = file.parent
    images, targets = _both_sides(root, described)
    found = {*images.values(), *targets.values()}
    is_selection = bool(described.list) or is_pattern(described.images)
    if described.list:
        images = choose(images, root / described.list, root)
    pairs = pair_up(images, targets, lambda stem: _place(root, described, stem))
    if not is_selection:
        refuse_spare_targets(images, targets, described.images)
    elif not described.list:
        found = {path for pair in pairs for path in (pair.image, pair.target)}
    folders = (_folder(root, described.images), _folder(root, described.targets))
    _report_left_out(described.name, folders, {*found, file, root / described.list})
    return pairs


def _both_sides(root: Path, described: Description) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the images and targets as {stem: file}; a file that fits both is of the more detailed side."""
    if is_pattern(described.images) and is_pattern(described.targets):
        _check_patterns(described)
        images = _by_wildcards(root, described.images, "images")
    elif is_pattern(described.images):
        images = _by_path(root, described.images, described.image_suffix)
    else:
        images = list_files(on_disk(root, described.images), "images", described.image_suffix)
    if is_pattern(described.targets):
        targets = _by_wildcards(root, described.targets, "targets")
    else:
        targets = list_files(on_disk(root, described.targets), "targets", described.target_suffix)
    both = {*images.values()} & {*targets.values()}
    image_detail = _detail(root, described.images, described.image_suffix)
    if _detail(root, described.targets, described.target_suffix) > image_detail:
        images = {stem: file for stem, file in images.items() if file not in both}
    else:
        targets = {stem: file for stem, file in targets.items() if file not in both}
    if not (images and targets):
        raise InputError(
            f"Expected images and targets, but `images` and `targets` of {described.name} describe the "
            "same files: give a pattern or a suffix that tells them apart."
        )
    return images, targets


def _check_patterns(described: Description) -> None:
    images, targets = Pattern(described.images), Pattern(described.targets)
    if described.image_suffix or described.target_suffix:
        raise InputError(
            f"Expected no image_suffix and target_suffix beside the patterns '{images.text}' and "
            f"'{targets.text}': write the suffix into the pattern."
        )
    if images.wildcards != targets.wildcards:
        raise InputError(
            f"Expected as many wildcards in '{targets.text}' as in '{images.text}', whose texts pair the "
            f"files, but got {targets.wildcards} and {images.wildcards}."
        )


def _by_wildcards(root: Path, text: str, what: str) -> dict[str, Path]:
    matches = _matching(root, text, what)
    return unique((key, file) for file, key in sorted(matches.items()))


def _by_path(root: Path, text: str, ending: str) -> dict[str, Path]:
    """Return {stem: file} for the images that match; stems begin at the pattern's first wildcard."""
    matches = _matching(root, text, "images")
    files = list_files(on_disk(root, Pattern(text).folder), "images", ending)
    return {stem: file for stem, file in files.items() if file in matches}


def _matching(root: Path, text: str, what: str) -> dict[Path, str]:
    matches = Pattern(text).find(root)
    if not matches:
        raise InputError(
            f"Expected {what} that match '{text}' in '{root}', but found none: correct the pattern."
        )
    return matches


def _folder(root: Path, text: str) -> Path:
    return on_disk(root, Pattern(text).folder if is_pattern(text) else text)


def _detail(root: Path, text: str, suffix: str) -> int:
    """Return how many characters of a file's path a side of the description fixes."""
    literals = Pattern(text).literals if is_pattern(text) else ""
    return len(str(_folder(root, text))) + max(len(literals), len(suffix))


def _place(root: Path, described: Description, stem: str) -> str:
    """Return where the target of an image would be."""
    if is_pattern(described.targets):
        return f"a file that matches '{described.targets}' for '{stem}'"
    return f"'{root / described.targets / stem}{described.target_suffix or '.png'}'"


def _report_left_out(name: str, folders: Iterable[Path], used: Collection[Path]) -> None:
    left_out = sorted({file for folder in folders for _, file in every_file(folder)}.difference(used))
    if left_out:
        endings = Counter(file.suffix or "no ending" for file in left_out)
        notes.warning(
            "%s leaves out %d files in its folders (%s), such as '%s'.",
            name,
            len(left_out),
            ", ".join(f"{number} {ending}" for ending, number in endings.most_common(3)),
            left_out[0],
        )


CARD = FileCard(
    name="folder",
    title="A folder of your own, described by a dataset.toml",
    class_names=(),
    splits=("all",),
    default_split="all",
    open=open_folder,
    names_own_splits=True,
    layout="dataset.toml (name, images, targets, classes) and what it names",
)
