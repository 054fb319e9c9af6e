"""Write a first dataset.toml for a folder, for a person to complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reports.run.files import write_atomically
from robseg.check.sides import Sides, guess_sides
from robseg.check.toml import class_table
from robseg.datasets.files.faults import some
from robseg.datasets.files.headers import read_header
from robseg.datasets.files.layout import every_file, image_stem
from robseg.datasets.files.pixels import MAX_CLASSES, ColourLabels, IndexLabels, colour_of
from robseg.errors import InputError
from robseg.options import to_toml

__all__ = ["describe_folder"]

SAMPLE = 200  # targets of which the labels are read
INDICES, COLOURS = IndexLabels.of({0: 0}), ColourLabels.of({(0, 0, 0): 0})


class _Labels(NamedTuple):
    """The labels in a sample of targets: the number of pixels and of targets of each value.

    Colours are 0xRRGGBB. `unreadable` are the targets that could not be read. `palette` has the colours of
    values, three bytes each, or is empty.
    """

    pixels: Counter[int]
    targets: Counter[int]
    unreadable: list[Path]
    is_colour: bool
    palette: bytes = b""


class _Draft(NamedTuple):
    """What is written to `file`; `left_out` are values beyond the number of classes that is possible."""

    file: Path
    sides: Sides
    sample: list[Path]
    labels: _Labels
    classes: list[int]
    ignored: list[int]
    left_out: list[int]


def describe_folder(folder: Path) -> list[str]:
    """Write a dataset.toml into a folder and return lines that say what it takes and what it leaves out.

    Raises
    ------
    InputError
        If there is one already, or if the names of the files do not say which are images and targets.
    """
    file = folder / "dataset.toml"
    if not folder.is_dir():
        raise InputError(f"Expected a folder to describe, but '{folder}' is none: correct the path.")
    if file.exists():
        raise InputError(f"Expected no '{file}' yet, but there is one: check it, or move it away first.")
    files = dict(every_file(folder))
    images = [path for path in files if image_stem(path)]
    sides = guess_sides(images)
    if sides is None:
        raise InputError(
            f"Expected images and targets in '{folder}', told apart by folders such as images and masks or "
            f"by names such as x.png and x_mask.png, but found no pair among {len(images)} image files: "
            "rename them, or write a dataset.toml (see docs/your-data.md)."
        )
    targets = [files[target] for _, target in sides.pairs]
    places = np.unique(np.linspace(0, len(targets) - 1, SAMPLE).round().astype(int))
    draft = _draft(file, sides, [targets[place] for place in places])
    if not draft.classes:
        raise InputError(f"Expected readable targets, but got {some(draft.sample)}: correct them.")
    write_atomically(file, "\n".join(_text(draft)))
    return [*_summary(draft, files)]


def _draft(file: Path, sides: Sides, sample: list[Path]) -> _Draft:
    labels = _labels(sample)
    ignored = _ignored(labels)
    found = [value for value, _ in labels.pixels.most_common() if value not in ignored]
    return _Draft(file, sides, sample, labels, sorted(found[:MAX_CLASSES]), ignored, found[MAX_CLASSES:])


def _labels(sample: Sequence[Path]) -> _Labels:
    """Return the labels of targets: values if all have a single channel and one palette, else colours."""
    values = _counted(sample, is_colour=False)
    palettes = {palette for file in sample if (palette := read_header(file).palette)}
    longest = max(palettes, key=len, default=b"")
    if not values.unreadable and all(longest.startswith(palette) for palette in palettes):
        return values._replace(palette=longest)
    colours = _counted(sample, is_colour=True)
    return colours if len(colours.unreadable) <= len(values.unreadable) else values


def _counted(sample: Sequence[Path], *, is_colour: bool) -> _Labels:
    pixels: Counter[int] = Counter()
    targets: Counter[int] = Counter()
    unreadable = []
    for file in sample:
        try:
            found = (COLOURS if is_colour else INDICES).look_up(file).values
        except InputError:
            unreadable.append(file)
            continue
        keys, numbers = (array.tolist() for array in np.unique(found, return_counts=True))
        pixels.update(dict(zip(keys, numbers, strict=True)))
        targets.update(keys)
    return _Labels(pixels, targets, unreadable, is_colour)


def _ignored(labels: _Labels) -> list[int]:
    """Return the values that usually mark pixels that are not scored; 0 and 255 alone are two classes."""
    if labels.is_colour:
        return []
    is_binary = labels.pixels.keys() <= {0, 255}
    return sorted(
        value for value in labels.pixels if value < 0 or value == 65535 or (value == 255 and not is_binary)
    )


def _text(draft: _Draft) -> Iterator[str]:
    labels = draft.labels
    yield "# Written by `robseg check --init`. Name the classes, and sort them as your model's outputs are."
    yield "# Move labels that are not scored to `ignore`. Several labels of a class are a list: id = [2, 3]."
    yield "# Then run `robseg check` on this folder."
    name = draft.file.parent.resolve().name or "data"
    yield to_toml({"name": name, **draft.sides.keys, "ignore": draft.ignored})
    everything = labels.pixels.total()
    for value in draft.classes:
        share = labels.pixels[value] / everything
        seen = f"{labels.targets[value]} of {len(draft.sample)} targets that were read"
        comment = f"{share:.2%} of the pixels, in {seen}"
        colour = [*labels.palette[3 * value : 3 * value + 3]] if value >= 0 else []
        yield class_table(colour_of(value) if labels.is_colour else value, comment, colour)


def _summary(draft: _Draft, files: Mapping[str, Path]) -> Iterator[str]:
    pairs, labels = draft.sides.pairs, draft.labels
    yield f"Wrote {draft.file} for {len(pairs)} pairs of an image and a target."
    for key, text in draft.sides.keys.items():
        yield f"  {key} = {text}"
    if draft.sides.splits:
        yield f"  splits: {', '.join(draft.sides.splits)}"
    what = "colours" if labels.is_colour else "label values"
    yield f"  {len(draft.classes)} {what} as classes, found in {len(draft.sample)} of {len(pairs)} targets"
    if draft.ignored:
        yield f"  ignored: {', '.join(map(str, draft.ignored))}, which usually marks pixels without a class"
    if draft.left_out:
        yield f"  not declared: {len(draft.left_out)} rarer {what}; so many come from JPEG or smoothed edges"
    if labels.unreadable:
        yield f"  targets that cannot be read: {some(labels.unreadable)}"
    taken = {path for pair in pairs for path in pair}
    if rest := sorted(files.keys() - taken):
        yield f"  files that are not among the pairs: {some(rest)}"
    yield f"Name the classes in {draft.file.name}, then run `robseg check {draft.file.parent}`."
