"""The counts of a run on disk: Parquet files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from reports.run.context import Context
from reports.run.errors import InvalidRun
from reports.run.files import LEFTOVERS, remove_abandoned, write_atomically
from reports.run.folder import OutFolder
from reports.run.record import RunRecord
from reports.run.shards import (
    KEYS,
    METADATA,
    UnusableShard,
    counts_folder,
    read_shard,
    refuse_foreign,
    schema_of,
    shard_files,
    shard_name,
)
from reports.run.tally import Row, Tally
from robseg.errors import InputError
from robseg.evaluation.locks import RunLock
from robseg.evaluation.parts import Part
from robseg.evaluation.shards import RowKey, Shard
from robseg.models.card import UNTOLD

__all__ = ["Done", "Store", "estimate_bytes", "write_shard"]

notes = logging.getLogger("robseg")

SET_ASIDE = ".set-aside"


class Done(NamedTuple):
    """What is on disk: the keys of its rows, and files that cannot be used, each with the reason."""

    rows: set[RowKey]
    unusable: dict[Path, str]


def write_shard(run: Path, tally: Tally, shard: Shard, context: Context, rows: Mapping[RowKey, Row]) -> Path:
    """Write a shard's rows by a tally into the tally's folder, and return the path."""
    identity = context.to_json(shard.condition.corruption, shard.models)
    keys = shard.rows(tally.name)
    columns = {name: [getattr(key, name) for key in keys] for name in KEYS.names}
    columns |= {name: [rows[key][name] for key in keys] for name in tally.columns}
    schema = schema_of(tally)
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({METADATA: identity}), sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    path = counts_folder(run, tally) / shard_name(shard.content_key(tally.name, identity), content)
    write_atomically(path, content)
    return path


class Store:
    """The folder of a run, which this process locks as a context manager, or only a part of the run.

    Raises
    ------
    InputError
        On entering, if the folder holds files of others, is not writable, or another process has locked it.
    """

    def __init__(self, out: Path, part: Part | None = None) -> None:
        self.out = out
        self._part = part
        self._lock = RunLock(out, part)

    def __enter__(self) -> Store:
        try:
            self.folder = OutFolder(self.out)
            self._lock.__enter__()
            with self._lock.shared():
                self.folder.reserve(["run.json"])
            self._clean()
        except OSError as error:
            raise InputError(
                f"Expected to be able to write to {self.out}, but got: {error}. Choose another --out."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def _clean(self) -> None:
        """Delete temporary files of killed processes; other parts may be writing theirs."""
        for leftover in list(self.out.rglob(LEFTOVERS)):
            if self._part is None:
                leftover.unlink()
            else:
                remove_abandoned(leftover.parent)

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Keep other parts from writing what all parts share: the record, tables and reports."""
        with self._lock.shared():
            yield

    def write_record(self, change: Callable[[RunRecord | None], RunRecord]) -> RunRecord:
        """Write what `change` makes of the record as it is now, and return it."""
        with self.shared():
            record = change(self._record())
            write_atomically(self.out / "run.json", record.to_json().encode())
        return record

    def done(self, context: Context, tallies: Iterable[Tally]) -> Done:
        """Return the keys of the rows of some tallies that are on disk, and the files that cannot be used.

        Raises
        ------
        InputError
            If the folder holds the counts of another run: of other data, another seed or other weights.
        """
        found = Done(set(), {})
        for tally in tallies:
            for path in shard_files(counts_folder(self.out, tally)):
                try:
                    table, stored = read_shard(path, schema_of(tally))
                    if stored is not None:
                        self._refuse_mixture(table, stored, context)
                    refuse_foreign(path, table, stored, context)
                except UnusableShard as error:
                    found.unusable[path] = error.fault
                    continue
                keys = list(zip(*(table[name].to_pylist() for name in KEYS.names), strict=True))
                rows = {RowKey(tally.name, *key) for key in keys}
                if rows & found.rows or len(rows) < len(keys):
                    found.unusable[path] = f"Expected each count once, but some in {path} occur twice"
                else:
                    found.rows.update(rows)
        return found

    @functools.cached_property
    def recorded(self) -> RunRecord | None:
        """The record of the run that was in the folder at first, or None without one that can be read."""
        return self._record()

    def _record(self) -> RunRecord | None:
        try:
            return RunRecord.load(self.out)
        except InvalidRun:
            return None

    def set_aside(self, unusable: Mapping[Path, str]) -> None:
        """Rename files of counts that cannot be used, so that nothing reads them, and say so."""
        for path, reason in unusable.items():
            with contextlib.suppress(FileNotFoundError):  # another part has done it
                notes.warning("%s: set aside as %s.", reason, path.rename(f"{path}{SET_ASIDE}").name)

    def _refuse_mixture(self, table: Any, stored: dict[str, Any], asked: Context) -> None:
        """Raise InputError if counts are those of the run in the folder, and another run is asked for."""
        recorded = None if self.recorded is None else self.recorded.context
        for corruption in set(table["corruption"].to_pylist()):
            if recorded is None or not recorded.mismatches(stored, corruption):
                for what, theirs, ours in asked.mismatches(stored, corruption):
                    if what in asked.models and (value := self._untold(what)):
                        raise InputError(
                            f"Expected {self.out} to be empty, because its run cannot be continued: {what} "
                            f"holds a value ({value}) that cannot be compared with that of an earlier call. "
                            "Choose another --out, or take the value out of the model."
                        )
                    raise InputError(
                        f"Expected {self.out} to be empty or to hold counts of the same run, but its "
                        f"{what} is {theirs} and {ours} was asked for: choose another --out."
                    )

    def _untold(self, model: str) -> str:
        """Return the type of the value by which a recorded model cannot be told from another, "" without."""
        recorded = () if self.recorded is None else self.recorded.models
        options = [one.card.get("options", {}) for one in recorded if one.name == model]
        return str(options[0].get(UNTOLD, "")) if options else ""

    def refuse_shortage(self, shards: Sequence[Shard], tallies: Sequence[Tally], num_classes: int) -> None:
        """Raise InputError if the free disk space is below an upper bound for the counts of the shards."""
        needed = estimate_bytes(shards, tallies, num_classes)
        free = shutil.disk_usage(self.out).free
        if needed > free:
            raise InputError(
                f"Expected {needed / 1e6:.0f} MB free for the counts in {self.out}, but got {free / 1e6:.0f} "
                "MB: free some space, or choose another --out."
            )


def estimate_bytes(shards: Sequence[Shard], tallies: Sequence[Tally], num_classes: int) -> int:
    """Return an upper bound for the size of shards: 8 bytes per number, 64 per row, 4 KiB per file."""
    numbers = {tally.name: sum(tally.lengths(num_classes).values()) for tally in tallies}
    return sum(len(shard) * (8 * numbers[tally] + 64) + 4096 for shard in shards for tally in shard.tallies)
