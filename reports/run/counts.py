"""Read a run's counts: checked, condition by condition, so that memory does not grow with their number."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reports.run.record import BOUNDARY_COUNTS, COUNTS, WHOLE, InvalidRun, MissingCounts, RunRecord, folder_of

__all__ = ["ConditionCounts", "Counts", "Totals", "merge_images", "read_conditions", "total"]

Key = tuple[str, int]

CONDITION = ("corruption", "severity")


@dataclasses.dataclass(frozen=True)
class Counts:
    """The counts of R predictions.

    `model`, `condition` and `image`: (R,), places in the run record's `models`, `conditions` and `images`.
    `tp`, `fp`, `fn`: int64 (R, C), pixels by class.
    """

    model: NDArray[np.intp]
    condition: NDArray[np.intp]
    image: NDArray[np.intp]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class ConditionCounts:
    """The counts of all models and images under one condition, `place` in the record's conditions.

    `tp`, `fp`, `fn`: int64 (M, N, C), zeros where a prediction is missing; `seen`: bool (M, N).
    """

    place: int
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    seen: NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Totals:
    """Counts merged over images: `tp`, `fp`, `fn` int64 (M, K, C) by model, condition and class.

    `images`: int64 (M, K), how many images were merged.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    images: NDArray[np.int64]


def read_conditions(
    run: Path, record: RunRecord, *, partial: bool = False, region: str = WHOLE
) -> Iterator[ConditionCounts]:
    """Yield the counts of each condition that `record` asks for, in its order, of whole images or a region.

    A run may hold more models, conditions and images than were asked for last; those are passed over. Files
    may divide the predictions in any way, but one file for each condition is read fastest.

    Raises
    ------
    InvalidRun
        If a file cannot be read or breaks the schema (the file is named), or a prediction is counted twice.
    MissingCounts
        After the last condition, unless `partial`, if predictions are missing.
    """
    folder = run / folder_of(region)
    files = _files_by_condition(folder)
    # Neighbouring conditions may share a file: the latest is kept.
    read = functools.lru_cache(maxsize=1)(functools.partial(_read_counts, record=record, region=region))
    missing: list[tuple[int, int, int]] = []
    number = 0
    for place, condition in enumerate(record.conditions):
        paths = files.get((condition.corruption, condition.severity), [])
        counts = _of_condition(place, [read(path) for path in paths], record, folder)
        yield counts
        absent = np.argwhere(~counts.seen)
        number += len(absent)
        missing += [(int(model), place, int(image)) for model, image in absent[:1]]
    if missing and not partial:
        raise _missing(min(missing), number, record, folder)


def total(run: Path, record: RunRecord, *, partial: bool = False) -> Totals:
    """Merge a run's counts over its images.

    Raises
    ------
    InvalidRun
        If a file is damaged, a prediction is counted twice or, unless `partial`, a prediction is missing.
    """
    return merge_images(read_conditions(run, record, partial=partial))


def merge_images(conditions: Iterable[ConditionCounts]) -> Totals:
    """Return the counts of conditions, merged over images."""
    sums: dict[str, list[NDArray[np.int64]]] = {"tp": [], "fp": [], "fn": [], "seen": []}
    for counts in conditions:
        for name, parts in sums.items():
            parts.append(getattr(counts, name).sum(axis=1, dtype=np.int64))
    tp, fp, fn, images = (np.stack(parts, axis=1) for parts in sums.values())
    return Totals(tp, fp, fn, images)


def _files_by_condition(folder: Path) -> dict[Key, list[Path]]:
    """Return the files of a folder that have rows of each (corruption, severity)."""
    files: dict[Key, list[Path]] = {}
    # Python's glob shows hidden files too: those are temporary names of files being written.
    for path in sorted(p for p in folder.glob("*.parquet") if not p.name.startswith(".")):
        for key in _conditions_in(path):
            files.setdefault(key, []).append(path)
    return files


def _conditions_in(path: Path) -> list[Key]:
    """Return the conditions of a file's rows, from its footer where that tells of a single one."""
    with _damage_named(path):
        footer = pq.read_metadata(path)
        ends = [_range(footer, group, name) for group in range(footer.num_row_groups) for name in CONDITION]
    if len(ends) == 2 and all(end is not None and end[0] == end[1] for end in ends):
        (corruption, _), (severity, _) = ends  # type: ignore[misc]  # not None: see above
        return [(corruption, severity)]
    table = _read(path, list(CONDITION)).group_by(list(CONDITION)).aggregate([])
    return list(zip(*(table[name].to_pylist() for name in CONDITION), strict=True))


def _range(footer: Any, group: int, name: str) -> tuple[Any, Any] | None:
    """Return the least and the greatest value of a column in a row group, if the footer has them."""
    position = footer.schema.names.index(name)
    statistics = footer.row_group(group).column(position).statistics
    has_ends = statistics is not None and statistics.has_min_max  # too long a text has none
    return (statistics.min, statistics.max) if has_ends else None


def _of_condition(place: int, files: Sequence[Counts], record: RunRecord, folder: Path) -> ConditionCounts:
    shape = (len(record.models), len(record.images))
    tp, fp, fn = (np.zeros((*shape, len(record.dataset["class_names"])), np.int64) for _ in range(3))
    seen = np.zeros(shape, np.int64)
    for counts in files:
        here = counts.condition == place
        cells = (counts.model[here], counts.image[here])
        np.add.at(seen, cells, 1)
        for merged, rows in zip((tp, fp, fn), (counts.tp, counts.fp, counts.fn), strict=True):
            merged[cells] = rows[here]
    if (seen > 1).any():
        raise InvalidRun(
            f"Expected one count per model, condition and image in {folder}, but some are there "
            "twice: evaluate again into an empty folder."
        )
    return ConditionCounts(place, tp, fp, fn, seen > 0)


def _read_counts(path: Path, record: RunRecord, region: str) -> Counts:
    """Return the counts of a file, of the predictions that `record` asks for, of a region."""
    table = _read(path, COUNTS.names if region == WHOLE else BOUNDARY_COUNTS.names)
    if region != WHOLE:
        table = table.filter(pc.equal(table["region"], region))
    conditions = {(c.corruption, c.severity): k for k, c in enumerate(record.conditions)}
    models = {m.name: k for k, m in enumerate(record.models)}
    images = {name: k for k, name in enumerate(record.images)}
    num_classes = len(record.dataset["class_names"])
    keys = zip(table["corruption"].to_pylist(), table["severity"].to_pylist(), strict=True)
    condition = _places(conditions, list(keys))
    model = _places(models, table["model"].to_pylist())
    image = _places(images, table["image"].to_pylist())
    asked = (model >= 0) & (condition >= 0) & (image >= 0)
    tp, fp, fn = (_matrix(table[name], num_classes, name, path)[asked] for name in ("tp", "fp", "fn"))
    return Counts(model[asked], condition[asked], image[asked], tp, fp, fn)


def _read(path: Path, columns: list[str]) -> Any:
    """Read some columns of a file as a table of the schema BOUNDARY_COUNTS."""
    schema = pa.schema([BOUNDARY_COUNTS.field(name) for name in columns])
    with _damage_named(path):
        # Not pq.read_table: it would scan the folder's name for partitions. Files are too small for threads.
        return pq.ParquetFile(path).read(columns=columns, use_threads=False).select(columns).cast(schema)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises into InvalidRun."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidRun(
            f"Expected {path} to hold counts, but it is damaged ({reason}): delete it and evaluate again."
        ) from error


def _places(places: dict[Any, int], names: Sequence[Any]) -> NDArray[np.intp]:
    """Return the place of each name, -1 for one that was not asked for."""
    return np.fromiter((places.get(name, -1) for name in names), np.intp, len(names))


def _matrix(column: Any, num_classes: int, name: str, path: Path) -> NDArray[np.int64]:
    """Return a column of lists as int64 (R, C)."""
    lists = column.combine_chunks()
    values = lists.flatten()
    lengths = np.asarray(lists.value_lengths())
    if (lengths != num_classes).any() or values.null_count:
        raise InvalidRun(
            f"Expected {num_classes} numbers in every `{name}` of {path}, but some rows have others: "
            "delete the file and evaluate again."
        )
    matrix: NDArray[np.int64] = values.to_numpy(zero_copy_only=False).reshape(-1, num_classes)
    if (matrix < 0).any():
        raise InvalidRun(
            f"Expected `{name}` in {path} to be counts, but some are negative: "
            "delete the file and evaluate again."
        )
    return matrix


def _missing(first: tuple[int, int, int], number: int, record: RunRecord, folder: Path) -> MissingCounts:
    """Return the error for missing predictions, naming the first of them."""
    model, condition, image = first
    where = record.conditions[condition]
    asked = len(record.models) * len(record.conditions) * len(record.images)
    return MissingCounts(
        f"Expected {asked} predictions in {folder}, but {number} are missing, the "
        f"first of {record.models[model].name} on {record.images[image]} ({where.corruption}, severity "
        f"{where.severity}): run the same `robseg evaluate` again to complete them."
    )
