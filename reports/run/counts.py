"""Read and check a run's counts, one condition at a time, so that memory use does not grow with the run."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.run.errors import MissingCounts
from reports.run.files import contents
from reports.run.parts import part_of, ranges
from reports.run.record import RunRecord
from reports.run.shards import (
    File,
    UnusableShard,
    conditions_in,
    counts_folder,
    counts_in,
    read_shard,
    refuse_foreign,
    schema_of,
    shard_files,
)
from reports.run.tally import Tally

__all__ = ["ConditionCounts", "Totals", "merge_images", "read_conditions"]


@dataclasses.dataclass(frozen=True)
class ConditionCounts:
    """The counts of all models and images under one condition, whose index in the record is `place`.

    `columns` maps each column of the tally to int64 (M, N, L), with zeros where a row is missing. `seen`,
    bool (M, N), says which rows exist.
    """

    place: int
    columns: Mapping[str, NDArray[np.int64]]
    seen: NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Totals:
    """Counts summed over images.

    `columns` maps each column of the tally to int64 (M, K, L), by model, condition and place in the column.
    `images`, int64 (M, K), is the number of images summed.
    """

    columns: Mapping[str, NDArray[np.int64]]
    images: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class _Rows:
    """The rows of a file: `model`, `condition`, `image` (R,) are indices into the record; columns (R, L)."""

    path: File
    model: NDArray[np.intp]
    condition: NDArray[np.intp]
    image: NDArray[np.intp]
    columns: Mapping[str, NDArray[np.int64]]


def read_conditions(
    run: Path, record: RunRecord, tally: Tally, *, partial: bool = False
) -> Iterator[ConditionCounts]:
    """Yield the counts of a tally under each condition of `record`, in the order of the record.

    A run may hold more models, conditions and images than the record, which names those of the latest
    request; the others are skipped. Files may divide the rows in any way, but reading is fastest with one
    file per condition.

    Raises
    ------
    InvalidRun
        If a file cannot be read or breaks the schema (the message names it), or a prediction is counted
        twice.
    MissingCounts
        After the last condition, if predictions are missing and `partial` is False.
    """
    folder = counts_folder(run, tally)
    files = _files_by_condition(contents(run) / folder.relative_to(run).as_posix())
    lengths = tally.lengths(len(record.dataset["class_names"]))
    # Neighbouring conditions may share a file, so the latest file stays in memory.
    read = functools.lru_cache(maxsize=1)(functools.partial(_read_rows, record=record, tally=tally))
    missing: list[tuple[int, int, int]] = []
    number = 0
    parts: set[int] = set()
    for place, condition in enumerate(record.conditions):
        paths = files.get((condition.corruption, condition.severity), [])
        counts = _of_condition(place, [read(path) for path in paths], record, lengths, folder)
        yield counts
        absent = np.argwhere(~counts.seen)
        number += len(absent)
        missing += [(int(model), place, int(image)) for model, image in absent[:1]]
        if record.parts:
            images = np.unique(absent[:, 1]).tolist()
            parts.update(part_of(place, image, len(record.images), record.parts) for image in images)
    if missing and not partial:
        raise _missing(min(missing), number, record, folder, parts)


def merge_images(conditions: Iterable[ConditionCounts]) -> Totals:
    """Return the counts of each condition, summed over images."""
    sums: dict[str, list[NDArray[np.int64]]] = {}
    images = []
    for counts in conditions:
        for name, column in counts.columns.items():
            sums.setdefault(name, []).append(column.sum(axis=1))
        images.append(counts.seen.sum(axis=1, dtype=np.int64))
    columns = {name: np.stack(parts, axis=1) for name, parts in sums.items()}
    return Totals(columns, np.stack(images, axis=1))


def _files_by_condition(folder: File) -> dict[tuple[str, int], list[File]]:
    """Map each (corruption, severity) to the files of a folder that hold rows of it."""
    files: dict[tuple[str, int], list[File]] = {}
    for path in shard_files(folder):
        for condition in conditions_in(path):
            files.setdefault(condition, []).append(path)
    return files


def _of_condition(
    place: int, files: Sequence[_Rows], record: RunRecord, lengths: Mapping[str, int], folder: Path
) -> ConditionCounts:
    shape = (len(record.models), len(record.images))
    columns = {name: np.zeros((*shape, length), np.int64) for name, length in lengths.items()}
    seen = np.zeros(shape, np.int64)
    for rows in files:
        here = rows.condition == place
        places = (rows.model[here], rows.image[here])
        np.add.at(seen, places, 1)
        for name, column in columns.items():
            column[places] = rows.columns[name][here]
        if (seen > 1).any():
            raise UnusableShard(
                f"Expected one count per model, condition and image in {folder}, but some occur twice, in "
                f"{rows.path.name} too"
            )
    return ConditionCounts(place, columns, seen > 0)


def _read_rows(path: File, record: RunRecord, tally: Tally) -> _Rows:
    """Return the rows of a file that belong to predictions of `record`."""
    table, stored = read_shard(path, schema_of(tally))
    if record.context is not None and isinstance(path, Path):  # a packed run has its counts in one file
        refuse_foreign(path, table, stored, record.context)
    conditions = {(c.corruption, c.severity): k for k, c in enumerate(record.conditions)}
    models = {m.name: k for k, m in enumerate(record.models)}
    images = {name: k for k, name in enumerate(record.images)}
    keys = zip(table["corruption"].to_pylist(), table["severity"].to_pylist(), strict=True)
    condition = _places(conditions, list(keys))
    model = _places(models, table["model"].to_pylist())
    image = _places(images, table["image"].to_pylist())
    asked = (model >= 0) & (condition >= 0) & (image >= 0)
    lengths = tally.lengths(len(record.dataset["class_names"]))
    columns = {name: counts_in(path, table, name, length)[asked] for name, length in lengths.items()}
    return _Rows(path, model[asked], condition[asked], image[asked], columns)


def _places(places: Mapping[Any, int], names: Sequence[Any]) -> NDArray[np.intp]:
    """Return the place of each name, or -1 for a name that was not asked for."""
    return np.fromiter((places.get(name, -1) for name in names), np.intp, len(names))


def _missing(
    first: tuple[int, int, int], number: int, record: RunRecord, folder: Path, parts: set[int]
) -> MissingCounts:
    """Return the error for missing predictions, naming the first of them, and the parts to do again."""
    model, condition, image = first
    where = record.conditions[condition]
    asked = len(record.models) * len(record.conditions) * len(record.images)
    again = f" for these of the {record.parts} parts: {ranges(parts)}" if parts else ""
    return MissingCounts(
        f"Expected {asked} predictions in {folder}, but {number} are missing; the first is that of "
        f"{record.models[model].name} on {record.images[image]} ({where.corruption}, severity "
        f"{where.severity}): run the same `robseg evaluate` again to complete them{again}."
    )
