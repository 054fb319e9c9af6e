"""Read every image and target of a data set, and report what is wrong with them."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.scoring.jackknife import FEWEST
from robseg.check.report import ClassShare, Finding, Report, Undeclared
from robseg.check.toml import declarations
from robseg.datasets import open_dataset
from robseg.datasets.base import IGNORE_INDEX, Dataset
from robseg.datasets.files.faults import Fault, collecting, some
from robseg.datasets.files.pixels import ColourLabels, Labels, LookedUp, colour_of, read_image
from robseg.datasets.files.reader import PairReader
from robseg.errors import InputError

__all__ = ["check"]

notes = logging.getLogger("robseg")

SHOWN_VALUES = 20  # undeclared values with a line each; targets saved as JPEG have thousands


def check(
    name: str,
    root: Path | None = None,
    split: str | None = None,
    num_workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Return what is in a split of a data set, with all its faults.

    `num_workers` images are read at a time, in threads. `progress` is called with the number of images read
    and the number of all.

    Raises
    ------
    InputError
        If the data set cannot be opened at all, for example because its folder is missing.
    """
    with _warned() as warned, collecting() as faults:
        dataset = open_dataset(name, root, split)
        labels = None
        if isinstance(dataset.read, PairReader):
            labels = _Tolerant(dataset.read.labels)
            tolerant = dataclasses.replace(dataset.read, labels=labels)
            dataset = dataclasses.replace(dataset, read=tolerant)
        looks = list(_looks(dataset, num_workers, progress))
    known = {file for fault in faults for file in fault.files}  # from opening the data set
    faults += [fault for look in looks for fault in look.faults if not known.intersection(fault.files)]
    undeclared = () if labels is None else labels.undeclared
    counted = sum((look.pixels for look in looks), np.zeros(256, np.int64))
    has_class = sum((look.pixels > 0 for look in looks), np.zeros(256, np.int64))
    labelled = max(1, counted[: dataset.num_classes].sum())
    classes = tuple(
        ClassShare(class_name, int(counted[i]), float(counted[i] / labelled), int(has_class[i]))
        for i, class_name in enumerate(dataset.class_names)
    )
    sizes = dict(Counter(look.size for look in looks if look.size).most_common())
    return Report(
        name=dataset.name,
        split=dataset.split,
        images=len(dataset),
        sizes=sizes,
        classes=classes,
        unscored=int(counted[IGNORE_INDEX]) - sum(each.pixels for each in undeclared),
        undeclared=undeclared,
        faults=(*_grouped(faults), *_undeclared(undeclared)),
        warnings=(*(Finding("note", text) for text in warned), *_warnings(dataset, looks, classes, sizes)),
        toml=declarations(undeclared[:SHOWN_VALUES], root) if name == "folder" and root else "",
    )


class _Look(NamedTuple):
    """What one image and its target hold: (height, width), and the number of pixels (256,) by class id."""

    size: tuple[int, int] | None
    pixels: NDArray[np.int64]
    faults: tuple[Fault, ...] = ()


class _Tolerant:
    """Labels that keep undeclared values, where others would refuse them; their pixels are not scored."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._found: dict[Path, dict[int, int]] = {}  # pixels by value
        self.meanings = labels.meanings

    def look_up(self, path: Path) -> LookedUp:
        return self._labels.look_up(path)

    def read(self, path: Path) -> NDArray[np.uint8]:
        values, target, undeclared = self.look_up(path)
        if undeclared.any():
            keys, counts = np.unique(values[undeclared], return_counts=True)
            self._found[path] = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        return np.where(undeclared, np.uint8(IGNORE_INDEX), target)

    @property
    def undeclared(self) -> tuple[Undeclared, ...]:
        """The undeclared values, the most frequent first."""
        pixels: Counter[int] = Counter()
        files: dict[int, list[str]] = {}
        for path, found in sorted(self._found.items()):
            pixels.update(found)
            for value in found:
                files.setdefault(value, []).append(str(path))
        is_colour = isinstance(self._labels, ColourLabels)
        return tuple(
            Undeclared(colour_of(value) if is_colour else value, number, tuple(files[value]))
            for value, number in pixels.most_common()
        )


def _looks(dataset: Dataset, num_workers: int, progress: Callable[[int, int], None]) -> Iterator[_Look]:
    threads = ThreadPoolExecutor(max(1, num_workers))
    try:
        for done, look in enumerate(threads.map(lambda i: _look(dataset, i), range(len(dataset))), 1):
            progress(done, len(dataset))
            yield look
    finally:
        threads.shutdown(cancel_futures=True)


def _look(dataset: Dataset, index: int) -> _Look:
    try:
        sample = dataset.read(index)
    except InputError as error:
        return _Look(None, np.zeros(256, np.int64), tuple(_faults_of(dataset, index, error)))
    height, width = sample.target.shape
    return _Look((height, width), np.bincount(sample.target.ravel(), minlength=256))


def _faults_of(dataset: Dataset, index: int, error: InputError) -> Iterator[Fault]:
    """Yield what is wrong with a pair that cannot be read: each of its files may be, or both together."""
    if not isinstance(dataset.read, PairReader):
        yield Fault(str(error), "image that cannot be read", [dataset.ids[index]])
        return
    pair = dataset.read.pairs[index]
    reading: Sequence[tuple[str, Path, Callable[[Path], Any]]] = (
        ("image that cannot be read", pair.image, read_image),
        ("target that cannot be read", pair.target, dataset.read.labels.read),
    )
    is_readable = True
    for kind, file, read in reading:
        try:
            read(file)
        except InputError as own:
            is_readable = False
            yield Fault(str(own), kind, [file])
    if is_readable:
        yield Fault(str(error), "image and target of different sizes", [pair.image])


def _grouped(faults: Iterable[Fault]) -> Iterator[Finding]:
    """Yield a line for each kind of fault; it shows what to do for the first one."""
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    for kind, alike in kinds.items():
        files = tuple(file for fault in alike for file in fault.files)
        number = f"{len(alike)} times {kind} ({some(files)}). The first: " if len(alike) > 1 else ""
        yield Finding(kind, number + str(alike[0]), files)


def _undeclared(found: Sequence[Undeclared]) -> Iterator[Finding]:
    for value, pixels, files in found[:SHOWN_VALUES]:
        text = (
            f"Expected declared labels only, but {value} has {pixels} pixels in {len(files)} targets "
            f"({some(files)}): declare it as a class or as ignored, or correct the targets."
        )
        yield Finding("undeclared label", text, files)
    rest = found[SHOWN_VALUES:]
    if rest:
        files = tuple(sorted({file for each in rest for file in each.files}))
        text = (
            f"Expected declared labels only, but there are {len(rest)} more values in {len(files)} targets "
            f"({some(files)}): so many come from JPEG or from smoothed edges, so save the targets without."
        )
        yield Finding("undeclared label", text, files)


def _warnings(
    dataset: Dataset,
    looks: Sequence[_Look],
    classes: Sequence[ClassShare],
    sizes: dict[tuple[int, int], int],
) -> Iterator[Finding]:
    absent = [each.name for each in classes if not each.pixels]
    if absent:
        text = f"No target has the class {some(absent)}: the scores leave out a class that never occurs."
        yield Finding("absent class", text)
    if len(sizes) > 1:
        height, width = next(iter(sizes))
        text = (
            f"Images have {len(sizes)} sizes; {sizes[height, width]} of {sum(sizes.values())} have "
            f"{height}x{width} (height x width)."
        )
        yield Finding("several sizes", text)
    void = tuple(
        name
        for name, look in zip(dataset.ids, looks, strict=True)
        if look.size and not look.pixels[: dataset.num_classes].any()
    )
    if void:
        text = (
            f"Targets without a pixel that is scored: {len(void)} ({some(void)}). Their images do not count."
        )
        yield Finding("void target", text, void)
    units = len(set(dataset.clusters or dataset.ids))
    if units < FEWEST:
        what = "blocks of related images" if dataset.clusters else "images"
        yield Finding("few images", f"Intervals need at least {FEWEST} {what}, but there are only {units}.")


@contextlib.contextmanager
def _warned() -> Iterator[list[str]]:
    """Yield a list to which the warnings that an evaluation would log go, until the block ends."""
    texts: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        texts.append(record.getMessage())
        return False

    level = notes.level
    notes.addFilter(keep)
    notes.setLevel(min(level, logging.WARNING))  # where -q has silenced them, they belong in the report too
    try:
        yield texts
    finally:
        notes.setLevel(level)
        notes.removeFilter(keep)
