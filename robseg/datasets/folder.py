"""A user's own images and targets, described by a `dataset.toml` beside them.

    name = "yard"
    images = "photos"                # a folder, or a pattern such as "photos/*/*_rgb.jpg"
    targets = "masks"                # a folder; a target has its image's path and name
    image_suffix = "_rgb.jpg"        # optional: what follows the id in the names of the images ...
    target_suffix = "_mask.png"      # ... and of the targets, if it is more than .png, .jpg, ...
    ignore = [255]                   # optional: label values (or colours) that are not scored

    [[classes]]                      # in the order of the model's outputs
    name = "grass"
    id = 1                           # the value of the class in index masks
    color = [0, 128, 0]              # without `id`: the class's colour in colour masks; with it: for display

    [[classes]]
    name = "road"
    id = [2, 3]                      # several values (or colours: [[0, 0, 9], [0, 0, 8]]) are one class

Paths are relative to the file's folder. Either every class has an `id` and targets are single-channel index
masks, or none has one and targets are RGB colour masks. Undeclared values and colours are errors. Every image
needs a target; a target without an image is an error too, unless `images` is a pattern.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath

from robseg.datasets.base import Dataset
from robseg.datasets.files.card import FileCard, find_root
from robseg.datasets.files.description import Description, read_description
from robseg.datasets.files.layout import Pair, find_pairs, list_files, pair_up
from robseg.datasets.files.reader import open_pairs
from robseg.errors import InputError

__all__ = ["CARD"]

WILDCARDS = frozenset("*?[")


def open_folder(root: Path | None, split: str) -> Dataset:
    """Open the data set that a dataset.toml describes; `root` is that file or the folder that holds it."""
    root = find_root(CARD, root)
    file = root / "dataset.toml" if root.is_dir() else root
    if not file.is_file():
        raise InputError(f"Expected '{file}' to describe the data set, but there is no such file: write it.")
    described = read_description(file)
    card = dataclasses.replace(
        CARD, name=described.name, class_names=described.class_names, palette=described.palette
    )
    return open_pairs(card, file.parent, split, _pairs(file.parent, described), described.labels)


def _pairs(root: Path, described: Description) -> tuple[Pair, ...]:
    targets = root / described.targets
    if not WILDCARDS & set(described.images):
        return find_pairs(
            root / described.images,
            targets,
            image_ending=described.image_suffix,
            target_ending=described.target_suffix,
        )
    images = _matching(root, described.images, described.image_suffix)
    return pair_up(
        images,
        list_files(targets, "targets", described.target_suffix),
        targets,
        described.target_suffix,
    )


def _matching(root: Path, pattern: str, ending: str) -> dict[str, Path]:
    """Return {stem: file} for the images that match; stems begin at the pattern's first wildcard."""
    parts = PurePosixPath(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if WILDCARDS & set(part))
    folder = root.joinpath(*parts[:fixed])
    files = list_files(folder, "images", ending)
    chosen = set(folder.glob("/".join(parts[fixed:])))
    images = {stem: file for stem, file in files.items() if file in chosen}
    if not images:
        raise InputError(
            f"Expected images that match '{pattern}' in '{root}', but found none: correct the pattern."
        )
    return images


CARD = FileCard(
    name="folder",
    title="A folder of your own, described by a dataset.toml",
    class_names=(),
    splits=("all",),
    default_split="all",
    open=open_folder,
    layout="dataset.toml (name, images, targets, classes) and what it names",
)
