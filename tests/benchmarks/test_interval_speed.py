"""How long it takes to score a run of Cityscapes' size with intervals."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from reports.run.record import CLEAN, Condition, ModelRecord, RunRecord
from reports.run.shards import schema_of
from reports.tallies import find

SCHEMA = schema_of(find("confusion"))

IMAGES, CLASSES, BLOCK = 500, 19, 15  # a shard of `robseg evaluate` has that many images


def write_run(folder: Path, models: int, block: int) -> Path:
    """Write a run of random counts with a file for each condition and block of images."""
    rng = np.random.default_rng(0)
    conditions = (
        Condition(CLEAN, 0, CLEAN),
        *(Condition(f"corruption_{c:02d}", s, f"group{c % 4}") for c in range(19) for s in range(1, 6)),
    )
    images = tuple(f"image_{number:04d}" for number in range(IMAGES))
    names = [f"model{number}" for number in range(models)]
    dataset = {
        "name": "random",
        "split": "val",
        "fingerprint": "0",
        "citation": "",
        "class_names": [f"class{c}" for c in range(CLASSES)],
        "palette": [[0, 0, 0]] * CLASSES,
    }
    record = RunRecord(
        command="",
        dataset=dataset,
        images=images,
        conditions=conditions,
        models=tuple(ModelRecord(name, {}, "0", 1) for name in names),
        protocol="custom",
        seed=0,
        set_versions={"imagenet-c": "1"},
        move_targets=True,
        device="cpu",
        precision="fp32",
        batch_size=1,
        versions={},
        created="",
    )
    (folder / "counts").mkdir()
    (folder / "run.json").write_text(record.to_json())
    for k, condition in enumerate(conditions):
        for start in range(0, IMAGES, block):
            here = images[start : start + block]
            rows = len(here) * models
            columns: dict[str, Any] = {
                "model": [name for name in names for _ in here],
                "corruption": [condition.corruption] * rows,
                "severity": pa.array([condition.severity] * rows, pa.int8()),
                "image": list(here) * models,
                **{field: list(rng.integers(0, 100_000, (rows, CLASSES))) for field in ("tp", "fp", "fn")},
            }
            table = pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)
            pq.write_table(table, folder / "counts" / f"{k:03d}_{start:04d}.parquet", compression="zstd")
    return folder


@pytest.mark.parametrize("block", [IMAGES, BLOCK], ids=["a file a condition", "shards"])
def test_intervals_of_a_run(benchmark: Any, tmp_path: Path, block: int) -> None:
    run = write_run(tmp_path, 1, block)
    results = benchmark.pedantic(lambda: reports.load(run), rounds=2, iterations=1)
    assert results.scores["miou_low"].notna().all()
