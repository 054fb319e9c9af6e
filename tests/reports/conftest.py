"""A synthetic run on disk: two models, four corruptions at five severities, six images, three classes."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from reports.run.counts import schema_of
from reports.run.record import CLEAN, Condition, Example, ModelRecord, RunRecord
from reports.tallies import find

SCHEMA = schema_of(find("confusion"))

NAMES = ("enet@streets", '<script>alert("1")</script>\n\'&amp;')
IMAGES = ("0001", "0002", "0003", "0004", "0005", '"><img src=x>')
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
SIZE = (8, 10)

Pixels = NDArray[np.uint8]


class SyntheticRun(NamedTuple):
    """A run's folder, its record, and the target and prediction of every row of its counts."""

    folder: Path
    record: RunRecord
    pixels: dict[tuple[str, Condition, str], tuple[Pixels, Pixels]]

    def rewrite(self, **changes: Any) -> None:
        """Write run.json again, with some fields of the record changed."""
        record = dataclasses.replace(self.record, **changes)
        (self.folder / "run.json").write_text(record.to_json(), encoding="utf-8")


def record_of(**changes: object) -> RunRecord:
    """Return a record of the synthetic run, with some fields changed."""
    record = RunRecord(
        command="robseg evaluate --model enet --corruptions all -o 'runs/<a>'",
        dataset={
            "name": "streets <i>",
            "split": "val",
            "fingerprint": "f00d",
            "class_names": list(CLASSES),
            "palette": [[70, 130, 180], [128, 64, 128], [220, 20, 60]],
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
    )
    return dataclasses.replace(record, **changes)  # type: ignore[arg-type]


def counts_of(target: Pixels, prediction: Pixels, num_classes: int) -> dict[str, list[int]]:
    """Count by definition, class by class."""
    classes = range(num_classes)
    return {
        "tp": [int(((target == c) & (prediction == c)).sum()) for c in classes],
        "fp": [int(((target != 255) & (target != c) & (prediction == c)).sum()) for c in classes],
        "fn": [int(((target == c) & (prediction != c)).sum()) for c in classes],
    }


def write_shard(run: Path, name: str, rows: list[dict[str, object]]) -> Path:
    """Write one file of counts and return its path."""
    (run / "counts").mkdir(exist_ok=True)
    path = run / "counts" / name
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


def row_of(model: str, condition: Condition, image: str, counts: dict[str, list[int]]) -> dict[str, object]:
    """Return one row of counts."""
    return {
        "model": model,
        "corruption": condition.corruption,
        "severity": condition.severity,
        "image": image,
        **counts,
    }


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> SyntheticRun:
    """Return a complete run, with examples, whose predictions get worse with severity. Not to be changed."""
    folder = tmp_path_factory.mktemp("pristine")
    record = record_of(examples=EXAMPLES)
    rng = np.random.default_rng(0)
    pixels: dict[tuple[str, Condition, str], tuple[Pixels, Pixels]] = {}
    for k, condition in enumerate(record.conditions):
        rows = []
        for image in record.images:
            target = rng.integers(0, len(CLASSES), SIZE, np.uint8)
            target[0] = 255
            for m, model in enumerate(record.models):
                wrong = rng.random(SIZE) < 0.05 + 0.12 * condition.severity + 0.1 * m
                guess = rng.integers(0, len(CLASSES), SIZE, np.uint8)
                prediction = np.where(wrong | (target == 255), guess, target)
                pixels[model.name, condition, image] = target, prediction
                rows.append(row_of(model.name, condition, image, counts_of(target, prediction, len(CLASSES))))
        write_shard(folder, f"{k:03d}.parquet", rows)
    (folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    (folder / "examples").mkdir()
    for example in EXAMPLES:
        photograph = rng.integers(0, 256, (60, 100, 3), np.uint8)
        Image.fromarray(photograph).save(folder / example.image)
        for name in (example.prediction, example.target):
            Image.fromarray(rng.integers(0, 3, (60, 100), np.uint8)).save(folder / name)
    return SyntheticRun(folder, record, pixels)


@pytest.fixture
def run(pristine: SyntheticRun, tmp_path: Path) -> SyntheticRun:
    """Return a copy of the run that a test may damage."""
    return pristine._replace(folder=shutil.copytree(pristine.folder, tmp_path / "run"))
