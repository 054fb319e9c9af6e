"""A synthetic run on disk: two models, four corruptions at five severities, eight images, three classes."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reports.run.record import CLEAN, Condition, Example, ModelRecord, RunRecord
from reports.run.shards import counts_folder, schema_of
from reports.tallies import find

NAMES = ("enet@streets", '<script>alert("1")</script>\n\'&amp;')
IMAGES = ("0001", "0002", "0003", "0004", "0005", '"><img src=x>', "0007", "0008")
CLASSES = ("sky", "road & <b>kerb</b>", "=SUM(A1)")
CORRUPTIONS = {"gaussian_noise": "noise", "fog": "weather", "snow": "weather", "jpeg_compression": "digital"}
CONDITIONS = (
    Condition(CLEAN, 0, CLEAN),
    *(Condition(name, severity, group) for name, group in CORRUPTIONS.items() for severity in range(1, 6)),
)
EXAMPLES = tuple(
    Example(NAMES[1], name, level, IMAGES[5], *(f"examples/{name}_{part}.png" for part in "ipt"))
    for name, level in ((CLEAN, 0), ("fog", 3))
)
RECORD = RunRecord(
    command="robseg evaluate --model enet --corruptions all -o 'runs/<a>'",
    dataset={
        "name": "streets <i>",
        "split": "val",
        "fingerprint": "f00d",
        "class_names": CLASSES,
        "palette": ((70, 130, 180), (128, 64, 128), (220, 20, 60)),
        "citation": "",
    },
    images=IMAGES,
    conditions=CONDITIONS,
    models=tuple(ModelRecord(name, {}, "ab" * 32, 364_000, 3.8, 41.5) for name in NAMES),
    protocol="",
    seed=0,
    set_versions={"imagenet-c": "1"},
    move_targets=True,
    device="cpu",
    precision="float32",
    batch_size=4,
    versions={"robseg": "0.1.0", "torch": "2.9"},
    created="2026-01-01T00:00:00Z",
    seconds={"model": 12.5, "corrupt": 3.25},
    examples=EXAMPLES,
)

Pixels = NDArray[np.uint8]
Row = dict[str, Any]


class SyntheticRun(NamedTuple):
    """A run's folder, its record, and the target and prediction of every row of its counts."""

    folder: Path
    record: RunRecord
    pixels: dict[tuple[str, Condition, str], tuple[Pixels, Pixels]]

    def rewrite(self, **changes: Any) -> None:
        """Write run.json again, with some fields of the record changed."""
        record = dataclasses.replace(self.record, **changes)
        (self.folder / "run.json").write_text(record.to_json(), encoding="utf-8")

    def copy_to(self, folder: Path) -> SyntheticRun:
        """Return a copy of the run in a folder that does not exist yet."""
        return self._replace(folder=shutil.copytree(self.folder, folder))

    def shards(self, tally: str = "confusion") -> list[Path]:
        """Return the files of a tally's counts; the synthetic run has one for each condition, in order."""
        return sorted(counts_folder(self.folder, find(tally)).glob("*.parquet"))

    def change_rows(self, change: Callable[[Row], object], tally: str = "confusion") -> None:
        """Let `change` edit every row of a tally's counts."""
        for path in self.shards(tally):
            change_shard(path, lambda rows: [change(row) for row in rows])

    def lose(self, corruption: str, share: float, tally: str = "confusion") -> None:
        """Turn a share of a corruption's hits into misses, in every image of every model."""

        def change(row: Row) -> None:
            if row["corruption"] == corruption:
                lost = [round(hits * share) for hits in row["tp"]]
                row["tp"] = [hits - less for hits, less in zip(row["tp"], lost, strict=True)]
                row["fn"] = [misses + more for misses, more in zip(row["fn"], lost, strict=True)]

        self.change_rows(change, tally)


def row_of(model: str, condition: Condition, image: str, counts: Row) -> Row:
    """Return one row of counts."""
    return {
        "model": model,
        "corruption": condition.corruption,
        "severity": condition.severity,
        "image": image,
        **counts,
    }


def write_shard(run: Path, name: str, rows: list[Row], tally: str = "confusion") -> None:
    """Write one file of a tally's counts."""
    folder = counts_folder(run, find(tally))
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema_of(find(tally))), folder / name)


def change_shard(path: Path, change: Callable[[list[Row]], object]) -> None:
    """Let `change` edit the rows of one file of counts."""
    table = pq.ParquetFile(path).read()
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
