"""The counts of a run on disk: Parquet shards, written whole or not at all, by one process at a time."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from reports.run.record import BOUNDARY, BOUNDARY_COUNTS, COUNTS, SCHEMA_VERSION, WHOLE, folder_of
from robseg.errors import InputError
from robseg.evaluation.counts import Counts
from robseg.evaluation.plan import Cell, Shard
from robseg.files import LEFTOVERS, write_atomically

__all__ = ["Context", "Store", "write_shard"]

METADATA = b"robseg"
FOLDERS = {folder_of(WHOLE): COUNTS, folder_of(BOUNDARY): BOUNDARY_COUNTS}


@dataclasses.dataclass(frozen=True)
class Context:
    """Everything besides condition, image and model name that counts depend on; stored in each shard's file.

    `models` maps a model's name to the SHA-256 of its weights and the card it was run with.
    """

    dataset: str
    set_version: str
    seed: int
    move_targets: bool
    device: str
    precision: str
    models: Mapping[str, str]
    schema_version: int = SCHEMA_VERSION

    def to_json(self, models: Iterable[str]) -> str:
        """Return the context of some of the models as canonical JSON."""
        mine = {**dataclasses.asdict(self), "models": {name: self.models[name] for name in models}}
        return json.dumps(mine, sort_keys=True)


def write_shard(folder: Path, shard: Shard, context: Context, rows: Mapping[Cell, Counts]) -> Path:
    """Write a shard's rows to FOLDER/<content key>.parquet; its regions are of one folder."""
    identity = context.to_json(shard.models)
    schema = COUNTS if shard.regions == (WHOLE,) else BOUNDARY_COUNTS
    columns = {
        **{field: [getattr(cell, field) for cell in rows] for field in Cell._fields},
        **{field: [getattr(counts, field) for counts in rows.values()] for field in Counts._fields},
    }
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({METADATA: identity}), sink, compression="zstd")
    path = folder / f"{shard.key(identity)}.parquet"
    write_atomically(path, sink.getvalue().to_pybytes())
    return path


class Store:
    """A run's folder, held by this process from `__enter__` to `__exit__`.

    Raises
    ------
    InputError
        If the folder cannot be written to, or another process is at work on it.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.counts_dir = out / "counts"
        self._lock = FileLock(out / ".lock")

    def __enter__(self) -> Store:
        try:
            self.counts_dir.mkdir(parents=True, exist_ok=True)
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

    def done(self, context: Context) -> set[Cell]:
        """Return the cells that are on disk.

        Raises
        ------
        InputError
            If the folder holds counts of other data, another seed, other weights: they cannot go together.
        """
        cells: set[Cell] = set()
        for path in sorted(path for folder in FOLDERS for path in (self.out / folder).glob("*.parquet")):
            columns = [field for field in Cell._fields if field in FOLDERS[path.parent.name].names]
            try:
                table = pq.read_table(path, columns=columns)
                there = json.loads(table.schema.metadata[METADATA])
            except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
                raise InputError(f"Expected {path} to hold counts, but it is damaged: delete it.") from error
            self._refuse_mixture(there, context)
            # Counts of whole images have no region; a Cell's default stands for that.
            cells.update(starmap(Cell, zip(*(table[name].to_pylist() for name in columns), strict=True)))
        return cells

    def _refuse_mixture(self, there: Mapping[str, object], context: Context) -> None:
        asked = json.loads(context.to_json(context.models))
        stored_models, asked_models = there["models"], asked["models"]
        if not isinstance(stored_models, dict):
            raise TypeError(f"Expected the models of {self.out} to be a mapping, but got {stored_models!r}.")
        pairs = [(key, there.get(key), asked[key]) for key in asked if key != "models"]
        pairs += [
            (name, stored_models[name], asked_models[name]) for name in stored_models.keys() & asked_models
        ]
        for key, stored, wanted in pairs:
            if stored != wanted:
                raise InputError(
                    f"Expected {self.out} to be empty or to hold counts of the same run, but its {key} is "
                    f"{stored} and {wanted} was asked for: choose another --out."
                )

    def refuse_shortage(self, shards: Sequence[Shard], num_classes: int) -> None:
        """Raise InputError if the disk cannot hold the counts of the shards (an upper bound)."""
        needed = estimate_bytes(shards, num_classes)
        free = shutil.disk_usage(self.out).free
        if needed > free:
            raise InputError(
                f"Expected {needed / 1e6:.0f} MB free for the counts in {self.out}, but got {free / 1e6:.0f} "
                "MB: make room, or choose another --out."
            )


def estimate_bytes(shards: Sequence[Shard], num_classes: int) -> int:
    """Return an upper bound of the disk space of some shards: 24 bytes a class and row, 4 KiB a file."""
    rows = sum(len(shard) * len(shard.regions) for shard in shards)
    files = sum(len({folder_of(region) for region in shard.regions}) for shard in shards)
    return rows * (24 * num_classes + 64) + files * 4096
