"""The counts of a run on disk: Parquet files that are written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from reports.run.counts import KEYS, counts_folder, schema_of
from reports.run.files import LEFTOVERS, write_atomically
from reports.run.folder import OutFolder
from reports.run.record import SCHEMA_VERSION
from reports.run.tally import Row, Tally
from robseg.errors import InputError
from robseg.evaluation.shards import RowKey, Shard

__all__ = ["Context", "Store", "estimate_bytes", "write_shard"]

METADATA = b"robseg"


@dataclasses.dataclass(frozen=True)
class Context:
    """Everything but condition, image and model name that counts depend on; each file of counts stores it.

    `models` maps the name of a model to its identity, `set_versions` a corruption to the version of its set.
    """

    dataset: str
    set_versions: Mapping[str, str]
    seed: int
    move_targets: bool
    device: str
    precision: str
    models: Mapping[str, str]
    schema_version: int = SCHEMA_VERSION

    def to_json(self, corruption: str, models: Iterable[str]) -> str:
        """Return what the counts of some models under one corruption depend on, as canonical JSON."""
        part = dataclasses.asdict(self)
        del part["set_versions"]
        part["set_version"] = self.set_versions.get(corruption, "")
        part["models"] = {name: self.models[name] for name in models}
        return json.dumps(part, sort_keys=True)


def write_shard(run: Path, tally: Tally, shard: Shard, context: Context, rows: Mapping[RowKey, Row]) -> Path:
    """Write a shard's rows by a tally to TALLY-FOLDER/CONTENT-KEY.parquet, and return the path."""
    identity = context.to_json(shard.condition.corruption, shard.models)
    keys = shard.rows(tally.name)
    columns = {name: [getattr(key, name) for key in keys] for name in KEYS.names}
    columns |= {name: [rows[key][name] for key in keys] for name in tally.columns}
    schema = schema_of(tally)
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({METADATA: identity}), sink, compression="zstd")
    path = counts_folder(run, tally) / f"{shard.content_key(tally.name, identity)}.parquet"
    write_atomically(path, sink.getvalue().to_pybytes())
    return path


class Store:
    """The folder of a run, which this process locks as a context manager.

    Raises
    ------
    InputError
        On entering, if the folder holds files of others, is not writable, or another process has locked it.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._lock = FileLock(out / ".lock")

    def __enter__(self) -> Store:
        try:
            self.folder = OutFolder(self.out)
            self.folder.reserve(["run.json"])
            self._lock.acquire(timeout=0)
            for leftover in self.out.rglob(LEFTOVERS):
                leftover.unlink()
        except Timeout as error:
            raise InputError(
                f"Expected {self.out} to be free, but another robseg is at work on it: "
                "wait for it to end, or choose another --out."
            ) from error
        except OSError as error:
            raise InputError(
                f"Expected to be able to write to {self.out}, but got: {error}. Choose another --out."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def done(self, context: Context, tallies: Iterable[Tally]) -> set[RowKey]:
        """Return the keys of the rows of some tallies that are on disk.

        Raises
        ------
        InputError
            If a file is damaged, or the folder holds counts of other data, another seed or other weights.
        """
        rows: set[RowKey] = set()
        for tally in tallies:
            for path in sorted(counts_folder(self.out, tally).glob("*.parquet")):
                try:
                    table = pq.ParquetFile(path).read(columns=KEYS.names)
                    there = json.loads(table.schema.metadata[METADATA])
                    keys = list(zip(*(table[name].to_pylist() for name in KEYS.names), strict=True))
                except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
                    raise InputError(
                        f"Expected {path} to hold counts, but it is damaged: delete it and run again."
                    ) from error
                for corruption in {key[1] for key in keys}:
                    self._refuse_mixture(there, context, corruption)
                rows.update(RowKey(tally.name, *key) for key in keys)
        return rows

    def _refuse_mixture(self, there: Mapping[str, object], context: Context, corruption: str) -> None:
        asked = json.loads(context.to_json(corruption, context.models))
        stored_models, asked_models = there["models"], asked["models"]
        if not isinstance(stored_models, dict):
            raise TypeError(f"Expected the models of {self.out} to be a mapping, but got {stored_models!r}.")
        pairs = [(key, there.get(key), asked[key]) for key in asked if key != "models"]
        pairs += [
            (name, stored_models[name], asked_models[name]) for name in stored_models.keys() & asked_models
        ]
        for key, stored, wanted in pairs:
            if key == "set_version" and corruption not in context.set_versions:
                continue  # this run does not use the corruption
            if stored != wanted:
                raise InputError(
                    f"Expected {self.out} to be empty or to hold counts of the same run, but its {key} is "
                    f"{stored} and {wanted} was asked for: choose another --out."
                )

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
