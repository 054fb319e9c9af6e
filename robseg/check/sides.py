"""Guess from the names of files which are images and which are targets, for a dataset.toml."""

from __future__ import annotations

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from robseg.datasets.files.patterns import is_pattern
from robseg.datasets.folder import SPLIT

__all__ = ["Sides", "guess_sides"]

TARGET_WORDS = re.compile(
    r"mask|label|annot|segment|semantic|truth|target|(?<![a-z])(gt|seg)(?![a-z])|^gt", re.I
)
IMAGE_WORDS = re.compile(r"image|img|photo|rgb|jpeg|picture|frame|input", re.I)
SIDES = ("images", "targets")
SUFFIXES = ("image_suffix", "target_suffix")
SPLITS = ("trainval", "training", "train", "validation", "valid", "val", "testing", "test")
SPLIT_END = re.compile(rf"(?<![a-z])({'|'.join(SPLITS)})$", re.I)
SPLIT_START = re.compile(rf"({'|'.join(SPLITS)})(?![a-z])|({'|'.join(SPLITS)})(?=annot|mask|label)", re.I)


@dataclasses.dataclass(frozen=True)
class Sides:
    """Values of a dataset.toml's keys, and the pairs of files (image, target) that they describe."""

    keys: dict[str, str]
    splits: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


class _Name(NamedTuple):
    """A path in parts. The file's name has the id between words such as img or mask, and a suffix."""

    path: str
    folders: tuple[str, ...]
    before: str
    id: str
    after: str
    suffix: str


class _Shape(NamedTuple):
    """What the paths of an image and its target have in common with other pairs.

    Folders that both paths share come before (`depth` of them) or after those in which they differ.
    """

    depth: int
    image_folders: tuple[str, ...]
    target_folders: tuple[str, ...]
    image_affixes: tuple[str, str]
    target_affixes: tuple[str, str]


def guess_sides(paths: Iterable[str]) -> Sides | None:
    """Return the description that fits the most pairs among the paths of image files, or None.

    Examples
    --------
    >>> guess_sides(["seq1/Images/a.jpg", "seq1/Labels/a.png", "seq2/Images/b.jpg", "seq2/Labels/b.png"]).keys
    {'images': 'seq*/Images/{id}.jpg', 'targets': 'seq*/Labels/{id}.png'}
    """
    images, targets = _told_apart([_name(path) for path in sorted(paths)])
    shapes: dict[_Shape, list[tuple[_Name, _Name]]] = {}
    for image, target in _paired(images, targets):
        shapes.setdefault(_shape(image, target), []).append((image, target))
    if not shapes:
        return None
    shape, pairs = max(shapes.items(), key=lambda found: len(found[1]))
    return _described(shape, pairs)


def _name(path: str) -> _Name:
    pure = PurePosixPath(path)
    parts = re.split(r"([_\-. ]+)", pure.stem)
    start, end = 0, len(parts)
    while end - start > 2 and _is_role(parts[end - 1]):
        end -= 2
    while end - start > 2 and _is_role(parts[start]):
        start += 2
    before, core, after = ("".join(part) for part in (parts[:start], parts[start:end], parts[end:]))
    return _Name(path, pure.parts[:-1], before, core, after, pure.suffix)


def _is_role(word: str) -> bool:
    return bool(TARGET_WORDS.search(word) or IMAGE_WORDS.search(word))


def _told_apart(names: Sequence[_Name]) -> tuple[list[_Name], list[_Name]]:
    """Return images and targets, told apart by words in the names of files and of folders."""
    targets = [name for name in names if _is_target(name)]
    if not targets:  # x.jpg beside x.png: targets are not compressed with losses
        lossy = {(name.folders, name.id) for name in names if name.suffix.lower() in {".jpg", ".jpeg"}}
        targets = [
            name for name in names if name.suffix.lower() == ".png" and (name.folders, name.id) in lossy
        ]
    chosen = {name.path for name in targets}
    return [name for name in names if name.path not in chosen], targets


def _is_target(name: _Name) -> bool:
    """Return what a word in the file's name says, or else the last folder with such a word."""
    if TARGET_WORDS.search(name.before) or TARGET_WORDS.search(name.after):
        return True
    with_role = [folder for folder in name.folders if _is_role(folder)]
    return bool(with_role and TARGET_WORDS.search(with_role[-1]))


def _paired(images: Iterable[_Name], targets: Iterable[_Name]) -> list[tuple[_Name, _Name]]:
    """Pair each target with the image of the same id whose folders are most alike."""
    by_id: dict[str, list[_Name]] = {}
    by_start: dict[str, list[_Name]] = {}  # 7 of 7_sat
    for image in images:
        by_id.setdefault(image.id, []).append(image)
        if shorter := _without_last_word(image):
            by_start.setdefault(shorter.id, []).append(shorter)
    pairs = []
    for target in targets:
        shorter = _without_last_word(target)
        for name, known in ((target, by_id), (shorter, by_id), (target, by_start)):
            if name and name.id in known:
                pairs.append((max(known[name.id], key=partial(_likeness, name)), name))
                break
    return pairs


def _without_last_word(name: _Name) -> _Name | None:
    """Return a name whose id lacks its last word, which then follows the id; None if it has one word only."""
    found = re.fullmatch(r"(.+?)([_\-. ]+[^_\-. ]+)", name.id)
    return name._replace(id=found[1], after=found[2] + name.after) if found else None


def _likeness(target: _Name, image: _Name) -> tuple[int, int]:
    same_words = (image.before == target.before) + (image.after == target.after)
    return sum(_common(image.folders, target.folders)), same_words


def _common(first: Sequence[str], second: Sequence[str]) -> tuple[int, int]:
    """Return how many folders two paths share at their start, and after that at their end."""
    start = _same(first, second)
    return start, _same(first[start:][::-1], second[start:][::-1])


def _same(first: Sequence[str], second: Sequence[str]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )


def _shape(image: _Name, target: _Name) -> _Shape:
    start, end = _common(image.folders, target.folders)
    own = [name.folders[start : len(name.folders) - end] for name in (image, target)]
    if not any(own):  # one folder for both: its sub-folders are searched
        start, own = 0, [(), ()]
    image_own, target_own = map(_with_split, own)
    affixes = [(name.before, name.after) for name in (image, target)]
    if image.before == target.before:
        affixes = [("", after) for _, after in affixes]
    if image.after == target.after:
        affixes = [(before, "") for before, _ in affixes]
    return _Shape(start, image_own, target_own, *affixes)


def _with_split(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return folders with `{split}` in the place of a split's name at the start of one, as in train_masks."""
    return tuple(
        SPLIT_START.sub(SPLIT, folder, count=1) if SPLIT_START.match(folder) else folder for folder in folders
    )


def _described(shape: _Shape, pairs: list[tuple[_Name, _Name]]) -> Sides:
    folders, wild = _folders(shape, [image.folders for image, _ in pairs])
    affixes = (shape.image_affixes, shape.target_affixes)
    suffixes = [
        Counter(name.suffix for name in side).most_common(1)[0][0] for side in zip(*pairs, strict=True)
    ]
    keys = {}
    has_suffix = [True, True]
    if any(map(is_pattern, folders)) or any(before for before, _ in affixes):
        for key, folder, (before, after), suffix in zip(SIDES, folders, affixes, suffixes, strict=True):
            keys[key] = f"{folder and f'{folder}/'}{wild}{before}{{id}}{after}{suffix}"
    else:
        is_one_folder = folders[0] == folders[1] and not any(after for _, after in affixes)
        has_suffix = [bool(after) or is_one_folder for _, after in affixes]
        keys = {key: folder or "." for key, folder in zip(SIDES, folders, strict=True)}
        for key, (_, after), suffix, is_needed in zip(SUFFIXES, affixes, suffixes, has_suffix, strict=True):
            if is_needed:
                keys[key] = after + suffix
    described = [
        pair
        for pair in pairs
        if all(
            name.suffix.lower() == suffix.lower() or not is_needed
            for name, suffix, is_needed in zip(pair, suffixes, has_suffix, strict=True)
        )
    ]
    splits = {_split_of(image, keys["images"]) for image, _ in described if SPLIT in keys["images"]}
    return Sides(keys, tuple(sorted(splits)), tuple((image.path, target.path) for image, target in described))


def _folders(shape: _Shape, paths: Sequence[tuple[str, ...]]) -> tuple[list[str], str]:
    """Return the folder of each side and the wildcards for those below it; `paths` are images' folders."""
    above = [_folder({path[level] for path in paths}) for level in range(shape.depth)]
    below = [path[shape.depth + len(shape.image_folders) :] for path in paths]
    first = {path[0] if path else "" for path in below}
    has_split = any(SPLIT in folder for folder in (*above, *shape.image_folders))
    under = (
        [] if has_split or len(first) == 1 or not all(name.lower() in SPLITS for name in first) else [SPLIT]
    )
    depths = {len(path) - len(under) for path in below}
    wild = "**/" if len(depths) > 1 else "*/" * depths.pop()
    return ["/".join([*above, *own, *under]) for own in (shape.image_folders, shape.target_folders)], wild


def _folder(names: set[str]) -> str:
    """Return what stands for folders at one level: their name, `{split}`, or a pattern."""
    if len(names) == 1:
        return _escaped(next(iter(names)))
    with_split = {SPLIT_END.sub(SPLIT, name) for name in names}
    if len(with_split) == 1:  # such as train and val, or uavid_train and uavid_val
        return next(iter(with_split))
    start = os.path.commonprefix(sorted(names)).rstrip("0123456789")  # noqa: RUF071  (of characters)
    return f"{_escaped(start)}*"


def _escaped(name: str) -> str:
    """Return a pattern that matches a name only.

    Examples
    --------
    >>> _escaped("Tile [1]")
    'Tile [[]1]'
    """
    return re.sub(r"[*?[]", r"[\g<0>]", name)


def _split_of(image: _Name, text: str) -> str:
    """Return the name of the split that an image belongs to."""
    place = next(i for i, part in enumerate(PurePosixPath(text).parts) if SPLIT in part)
    before, after = PurePosixPath(text).parts[place].split(SPLIT)
    return image.folders[place][len(before) : len(image.folders[place]) - len(after)]
