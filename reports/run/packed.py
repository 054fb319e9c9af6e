"""A run in one small file: a ZIP file of its run.json and its counts, read like the folder of the run.

It has no pictures and no tables, so it is small enough to be committed as the baseline of a gate.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reports.run.counts import read_conditions
from reports.run.record import RunRecord
from reports.run.shards import KEYS, counts_folder, schema_of
from reports.run.tally import Tally

__all__ = ["pack"]

EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every member, so that the same counts give the same bytes


def pack(run: Path, record: RunRecord, find: Callable[[str], Tally]) -> bytes:
    """Return a run, as far as the record asks for it, as a ZIP file; `find` returns a tally by its name.

    Raises
    ------
    InvalidRun, MissingCounts
        If the run is damaged or incomplete.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _members(run, record, find):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_LZMA)
    return file.getvalue()


def _members(run: Path, record: RunRecord, find: Callable[[str], Tally]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file."""
    yield "run.json", dataclasses.replace(record, examples=()).to_json().encode()
    for name in record.tallies:
        tally = find(name)
        path = counts_folder(Path(), tally) / "all.parquet"
        yield path.as_posix(), _parquet(_rows(run, record, tally), tally)


def _rows(run: Path, record: RunRecord, tally: Tally) -> pa.Table:
    """Return all counts of a tally as one table."""
    images, models = len(record.images), [model.name for model in record.models]
    parts = []
    for counts in read_conditions(run, record, tally):
        condition, rows = record.conditions[counts.place], len(models) * images
        columns = [
            pa.array(np.repeat(models, images)),
            pa.array([condition.corruption] * rows),
            pa.array([condition.severity] * rows),
            pa.array(list(record.images) * len(models)),
            *(pa.array(list(column.reshape(rows, -1))) for column in counts.columns.values()),
        ]
        named = dict(zip((*KEYS.names, *counts.columns), columns, strict=True))
        parts.append(pa.table(named).select(schema_of(tally).names).cast(schema_of(tally)))
    return pa.concat_tables(parts)


def _parquet(table: pa.Table, tally: Tally) -> bytes:
    """Return a table as a Parquet file that compresses well: equal bytes of counts are neighbours."""
    file = io.BytesIO()
    pq.write_table(
        table,
        file,
        compression="none",  # the ZIP file's compression is better
        use_dictionary=KEYS.names,
        use_byte_stream_split=[f"{name}.list.element" for name in tally.columns],
    )
    return file.getvalue()
