"""Read a run's counts: shard by shard, checked, and merged into one count per model and condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reports.schema import COUNTS, InvalidRun, RunRecord

__all__ = ["Counts", "Totals", "read_counts", "total"]


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
class Totals:
    """Counts merged over images: `tp`, `fp`, `fn` int64 (M, K, C) by model, condition and class.

    `images`: int64 (M, K), how many images were merged.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    images: NDArray[np.int64]


def read_counts(run: Path, record: RunRecord) -> Iterator[Counts]:
    """Yield the counts of each file below RUN/counts, of the predictions that `record` asks for.

    A run may hold more models, conditions and images than were asked for last; those are passed over. One
    file is held in memory at a time.

    Raises
    ------
    InvalidRun
        If a file cannot be read or breaks the schema. The file is named.
    """
    conditions = {(c.corruption, c.severity): k for k, c in enumerate(record.conditions)}
    models = {m.name: k for k, m in enumerate(record.models)}
    images = {name: k for k, name in enumerate(record.images)}
    num_classes = len(record.dataset["class_names"])
    # Python's glob shows hidden files too: those are temporary names of files being written.
    for path in sorted(p for p in (run / "counts").glob("*.parquet") if not p.name.startswith(".")):
        table = _read(path)
        keys = zip(table["corruption"].to_pylist(), table["severity"].to_pylist(), strict=True)
        condition = _places(conditions, list(keys))
        model = _places(models, table["model"].to_pylist())
        image = _places(images, table["image"].to_pylist())
        asked = (model >= 0) & (condition >= 0) & (image >= 0)
        tp, fp, fn = (_matrix(table[name], num_classes, name, path)[asked] for name in ("tp", "fp", "fn"))
        yield Counts(model[asked], condition[asked], image[asked], tp, fp, fn)


def total(run: Path, record: RunRecord, *, partial: bool = False) -> Totals:
    """Merge a run's counts over its images.

    Raises
    ------
    InvalidRun
        If a file is damaged, a prediction is counted twice or, unless `partial`, a prediction is missing.
    """
    shape = (len(record.models), len(record.conditions))
    seen = np.zeros((*shape, len(record.images)), bool)
    merged = [np.zeros((*shape, len(record.dataset["class_names"])), np.int64) for _ in range(3)]
    for counts in read_counts(run, record):
        cells = (counts.model, counts.condition, counts.image)
        before = np.count_nonzero(seen)
        seen[cells] = True
        if np.count_nonzero(seen) - before != len(counts.image):
            raise InvalidRun(
                f"Expected one count per model, condition and image in {run / 'counts'}, but some are there "
                "twice: evaluate again into an empty folder."
            )
        for sums, rows in zip(merged, (counts.tp, counts.fp, counts.fn), strict=True):
            np.add.at(sums, cells[:2], rows)
    if not partial:
        _check_complete(seen, record, run)
    tp, fp, fn = merged
    return Totals(tp, fp, fn, seen.sum(axis=2, dtype=np.int64))


def _read(path: Path) -> Any:
    """Read one file as a table of the schema COUNTS."""
    try:
        table = pq.ParquetFile(path).read()
        return table.select(COUNTS.names).cast(COUNTS)
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


def _check_complete(seen: NDArray[np.bool_], record: RunRecord, run: Path) -> None:
    """Raise InvalidRun, naming the first of them, if predictions are missing."""
    missing = np.argwhere(~seen)
    if len(missing):
        model, condition, image = missing[0]
        where = record.conditions[condition]
        raise InvalidRun(
            f"Expected {seen.size} predictions in {run / 'counts'}, but {len(missing)} are missing, the "
            f"first of {record.models[model].name} on {record.images[image]} ({where.corruption}, severity "
            f"{where.severity}): run the same `robseg evaluate` again to complete them."
        )
