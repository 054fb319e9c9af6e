"""A file of counts: a Parquet table of rows by one tally, whose name and metadata show damage and origin."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from zipfile import Path as Member

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reports.run.context import Context
from reports.run.errors import InvalidRun
from reports.run.files import DAMAGE
from reports.run.tally import Tally

__all__ = [
    "KEYS",
    "METADATA",
    "File",
    "UnusableShard",
    "conditions_in",
    "counts_folder",
    "counts_in",
    "read_shard",
    "refuse_foreign",
    "schema_of",
    "shard_files",
    "shard_name",
]

File = Path | Member  # of a run's folder, or of its ZIP file
F = TypeVar("F", Path, Member, Path | Member)
METADATA = b"robseg"  # the key of what a file's counts depend on (reports.run.context)
MOST = 2**48  # pixels of an image; sums over any number of images then fit into int64
NAME = re.compile(r"[0-9a-f]+-([0-9a-f]{32})\.parquet")
CONDITION = ("corruption", "severity")


class UnusableShard(InvalidRun):
    """A file of counts is damaged or does not belong to the run; `fault` says how, without advice."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"{fault}: run the same `robseg evaluate` again, which sets the file aside and computes its "
            "counts again."
        )
        self.fault = fault


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


def shard_name(key: str, content: bytes) -> str:
    """Return the name of a file of counts; with it, damage to the content is found when it is read."""
    return f"{key}-{_digest(content)}.parquet"


def shard_files(folder: F) -> list[F]:
    """Return the files of counts in a folder, sorted by name."""
    inside = folder.iterdir() if folder.is_dir() else ()
    # Hidden files belong to the system: macOS writes ._NAME.parquet beside a file on some disks.
    found = [path for path in inside if path.name.endswith(".parquet") and not path.name.startswith(".")]
    return sorted(found, key=lambda path: path.name)


def read_shard(path: File, schema: Any) -> tuple[Any, dict[str, Any] | None]:
    """Return the columns of a schema from a file of counts, and what its counts depend on.

    The latter is None for a file that robseg did not write.

    Raises
    ------
    UnusableShard
        If the file is damaged.
    """
    with _damage_named(path):
        # Not pq.read_table: it would scan the folder's name for partitions. Files are too small for threads.
        table = pq.ParquetFile(io.BytesIO(_content(path))).read(columns=schema.names, use_threads=False)
        stored = (table.schema.metadata or {}).get(METADATA)
        return table.select(schema.names).cast(schema), None if stored is None else dict(json.loads(stored))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _content(path: File) -> bytes:
    content = path.read_bytes()
    named = NAME.fullmatch(path.name)
    if named and named[1] != _digest(content):
        raise ValueError("its content is not what was written")
    return content


def conditions_in(path: File) -> list[tuple[str, int]]:
    """Return the conditions of a file's rows; its footer suffices if there is a single one."""
    with _damage_named(path):
        footer = pq.read_metadata(io.BytesIO(_content(path)))
        ends = [_range(footer, group, name) for group in range(footer.num_row_groups) for name in CONDITION]
    if len(ends) == 2 and all(end is not None and end[0] == end[1] for end in ends):
        (corruption, _), (severity, _) = ends  # type: ignore[misc]  # not None: see above
        return [(corruption, severity)]
    table, _ = read_shard(path, pa.schema([KEYS.field(name) for name in CONDITION]))
    table = table.group_by(list(CONDITION)).aggregate([])
    return list(zip(*(table[name].to_pylist() for name in CONDITION), strict=True))


def _range(footer: Any, group: int, name: str) -> tuple[Any, Any] | None:
    """Return the least and the greatest value of a column in a row group, if the footer has them."""
    position = footer.schema.names.index(name)
    statistics = footer.row_group(group).column(position).statistics
    has_ends = statistics is not None and statistics.has_min_max  # missing for long texts
    return (statistics.min, statistics.max) if has_ends else None


def counts_in(path: File, table: Any, name: str, length: int) -> NDArray[np.int64]:
    """Return a column of the table in a file as int64 (R, length).

    Raises
    ------
    UnusableShard
        If it holds anything but numbers of pixels.
    """
    lists = table[name].combine_chunks()
    values = lists.flatten()
    lengths = np.asarray(lists.value_lengths())
    if (lengths != length).any() or values.null_count:
        raise UnusableShard(
            f"Expected {length} numbers in every `{name}` of {path}, but some rows have more or fewer"
        )
    matrix: NDArray[np.int64] = values.to_numpy(zero_copy_only=False).reshape(-1, length)
    if ((matrix < 0) | (matrix > MOST)).any():
        raise UnusableShard(f"Expected `{name}` in {path} to be counts, but some are negative or too large")
    return matrix


def refuse_foreign(path: File, table: Any, stored: dict[str, Any] | None, context: Context) -> None:
    """Check that the counts of a file are those of a context; `stored` is what `read_shard` says of them.

    Raises
    ------
    UnusableShard
        If they are not.
    """
    if stored is None or not NAME.fullmatch(path.name):
        raise UnusableShard(f"Expected {path} to be written by robseg for this run, but it was not")
    for corruption in sorted(set(table["corruption"].to_pylist())):
        for what, theirs, ours in context.mismatches(stored, corruption):
            raise UnusableShard(
                f"Expected {path} to belong to the run, but its {what} is {theirs} and the run's is {ours}"
            )


@contextmanager
def _damage_named(path: File) -> Iterator[None]:
    """Raise UnusableShard in place of the errors that a damaged file causes."""
    try:
        yield
    except (pa.ArrowException, *DAMAGE) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UnusableShard(f"Expected {path} to hold counts, but it is damaged ({reason})") from error
