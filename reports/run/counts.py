"""Read and check a run's counts, one condition at a time, so that memory use does not grow with the run."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zipfile import Path as Member

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reports.run.errors import InvalidRun, MissingCounts
from reports.run.files import contents
from reports.run.record import RunRecord
from reports.run.tally import Tally

__all__ = [
    "KEYS",
    "ConditionCounts",
    "Totals",
    "counts_folder",
    "merge_images",
    "read_conditions",
    "schema_of",
]

File = Path | Member  # of a run's folder, or of its ZIP file
CONDITION = ("corruption", "severity")
# The columns that identify a row. For clean images, corruption is CLEAN and severity is 0.
KEYS = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("corruption", pa.string(), nullable=False),
        pa.field("severity", pa.int8(), nullable=False),
        pa.field("image", pa.string(), nullable=False),
    ]
)


def schema_of(tally: Tally) -> Any:
    """Return the Arrow schema of a tally's rows: KEYS, then each column as a list of int64."""
    columns = [pa.field(name, pa.list_(pa.int64()), nullable=False) for name in tally.columns]
    return pa.schema([*KEYS, *columns])


def counts_folder(run: Path, tally: Tally) -> Path:
    """Return the folder of a run that holds the counts of a tally."""
    return run / "counts" if tally.always else run / "counts" / tally.name


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
    for place, condition in enumerate(record.conditions):
        paths = files.get((condition.corruption, condition.severity), [])
        counts = _of_condition(place, [read(path) for path in paths], record, lengths, folder)
        yield counts
        absent = np.argwhere(~counts.seen)
        number += len(absent)
        missing += [(int(model), place, int(image)) for model, image in absent[:1]]
    if missing and not partial:
        raise _missing(min(missing), number, record, folder)


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
    # Hidden files are files that are still being written.
    inside = [path for path in folder.iterdir() if path.name.endswith(".parquet")] if folder.is_dir() else []
    for path in sorted((p for p in inside if not p.name.startswith(".")), key=lambda p: p.name):
        for condition in _conditions_in(path):
            files.setdefault(condition, []).append(path)
    return files


def _conditions_in(path: File) -> list[tuple[str, int]]:
    """Return the conditions of a file's rows; its footer suffices if there is a single one."""
    with _damage_named(path):
        with path.open("rb") as file:
            footer = pq.read_metadata(file)
        ends = [_range(footer, group, name) for group in range(footer.num_row_groups) for name in CONDITION]
    if len(ends) == 2 and all(end is not None and end[0] == end[1] for end in ends):
        (corruption, _), (severity, _) = ends  # type: ignore[misc]  # not None: see above
        return [(corruption, severity)]
    table = _read(path, pa.schema([KEYS.field(name) for name in CONDITION]))
    table = table.group_by(list(CONDITION)).aggregate([])
    return list(zip(*(table[name].to_pylist() for name in CONDITION), strict=True))


def _range(footer: Any, group: int, name: str) -> tuple[Any, Any] | None:
    """Return the least and the greatest value of a column in a row group, if the footer has them."""
    position = footer.schema.names.index(name)
    statistics = footer.row_group(group).column(position).statistics
    has_ends = statistics is not None and statistics.has_min_max  # missing for long texts
    return (statistics.min, statistics.max) if has_ends else None


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
        raise InvalidRun(
            f"Expected one count per model, condition and image in {folder}, but some occur "
            "twice: evaluate again into an empty folder."
        )
    return ConditionCounts(place, columns, seen > 0)


def _read_rows(path: File, record: RunRecord, tally: Tally) -> _Rows:
    """Return the rows of a file that belong to predictions of `record`."""
    table = _read(path, schema_of(tally))
    conditions = {(c.corruption, c.severity): k for k, c in enumerate(record.conditions)}
    models = {m.name: k for k, m in enumerate(record.models)}
    images = {name: k for k, name in enumerate(record.images)}
    keys = zip(table["corruption"].to_pylist(), table["severity"].to_pylist(), strict=True)
    condition = _places(conditions, list(keys))
    model = _places(models, table["model"].to_pylist())
    image = _places(images, table["image"].to_pylist())
    asked = (model >= 0) & (condition >= 0) & (image >= 0)
    lengths = tally.lengths(len(record.dataset["class_names"]))
    columns = {name: _matrix(table[name], length, name, path)[asked] for name, length in lengths.items()}
    return _Rows(model[asked], condition[asked], image[asked], columns)


def _read(path: File, schema: Any) -> Any:
    """Read the columns of a schema from a file."""
    with _damage_named(path):
        # Not pq.read_table: it would scan the folder's name for partitions. Files are too small for threads.
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read(columns=schema.names, use_threads=False)
        return table.select(schema.names).cast(schema)


@contextmanager
def _damage_named(path: File) -> Iterator[None]:
    """Raise InvalidRun in place of the errors that a damaged file causes."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError, ValueError, BadZipFile, LZMAError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidRun(
            f"Expected {path} to hold counts, but it is damaged ({reason}): delete it and evaluate again."
        ) from error


def _places(places: Mapping[Any, int], names: Sequence[Any]) -> NDArray[np.intp]:
    """Return the place of each name, or -1 for a name that was not asked for."""
    return np.fromiter((places.get(name, -1) for name in names), np.intp, len(names))


def _matrix(column: Any, length: int, name: str, path: File) -> NDArray[np.int64]:
    """Return a column of lists as int64 (R, length)."""
    lists = column.combine_chunks()
    values = lists.flatten()
    lengths = np.asarray(lists.value_lengths())
    if (lengths != length).any() or values.null_count:
        raise InvalidRun(
            f"Expected {length} numbers in every `{name}` of {path}, but some rows have more or fewer: "
            "delete the file and evaluate again."
        )
    matrix: NDArray[np.int64] = values.to_numpy(zero_copy_only=False).reshape(-1, length)
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
        f"Expected {asked} predictions in {folder}, but {number} are missing; the first is that of "
        f"{record.models[model].name} on {record.images[image]} ({where.corruption}, severity "
        f"{where.severity}): run the same `robseg evaluate` again to complete them."
    )
