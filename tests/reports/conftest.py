"""The synthetic run as fixtures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.run.record import Condition
from tests.reports.synthetic import CLASSES, EXAMPLES, RECORD, Pixels, SyntheticRun, row_of, write_shard

SIZE = (8, 10)


def counts_of(target: Pixels, prediction: Pixels) -> dict[str, list[int]]:
    """Count by definition, class by class."""
    classes = range(len(CLASSES))
    return {
        "tp": [int(((target == c) & (prediction == c)).sum()) for c in classes],
        "fp": [int(((target != 255) & (target != c) & (prediction == c)).sum()) for c in classes],
        "fn": [int(((target == c) & (prediction != c)).sum()) for c in classes],
    }


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> SyntheticRun:
    """Return a complete run, with examples, whose predictions get worse with severity; read-only."""
    folder = tmp_path_factory.mktemp("pristine")
    rng = np.random.default_rng(0)
    pixels: dict[tuple[str, Condition, str], tuple[Pixels, Pixels]] = {}
    for k, condition in enumerate(RECORD.conditions):
        rows = []
        for image in RECORD.images:
            target = rng.integers(0, len(CLASSES), SIZE, np.uint8)
            target[0] = 255
            for m, model in enumerate(RECORD.models):
                wrong = rng.random(SIZE) < 0.05 + 0.12 * condition.severity + 0.1 * m
                guess = rng.integers(0, len(CLASSES), SIZE, np.uint8)
                prediction = np.where(wrong | (target == 255), guess, target)
                pixels[model.name, condition, image] = target, prediction
                rows.append(row_of(model.name, condition, image, counts_of(target, prediction)))
        write_shard(folder, f"{k:03d}.parquet", rows)
    (folder / "run.json").write_text(RECORD.to_json(), encoding="utf-8")
    (folder / "examples").mkdir()
    for example in EXAMPLES:
        photograph = rng.integers(0, 256, (60, 100, 3), np.uint8)
        Image.fromarray(photograph).save(folder / example.image)
        for name in (example.prediction, example.target):
            Image.fromarray(rng.integers(0, 3, (60, 100), np.uint8)).save(folder / name)
    return SyntheticRun(folder, RECORD, pixels)


@pytest.fixture
def run(pristine: SyntheticRun, tmp_path: Path) -> SyntheticRun:
    """Return a copy of the run that a test may damage."""
    return pristine.copy_to(tmp_path / "run")
