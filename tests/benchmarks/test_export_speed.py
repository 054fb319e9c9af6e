"""How long an exported model takes for an image, preprocessing and argmax included, against robseg itself."""

from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from robseg.models.export.export import export
from robseg.models.export.targets import TARGETS
from robseg.models.model import load_model

SIZE = (360, 480)
FILES = [
    (target, precision) for target in TARGETS for precision in TARGETS[target].packages if precision != "int8"
]


@pytest.mark.parametrize(
    "model", ["enet@camvid", "icnet@camvid", "pspnet@camvid", "deeplabv3plus@camvid", "ocrnet@camvid"]
)
@pytest.mark.parametrize(
    "file", [None, *FILES], ids=lambda file: "robseg" if file is None else "-".join(file)
)
def test_prediction(
    benchmark: BenchmarkFixture, tmp_path: Path, model: str, file: tuple[str, str] | None
) -> None:
    """The group of a model has robseg's own time as baseline; ratios hold within one run."""
    benchmark.group = model
    loaded = load_model(model)
    if file is not None:
        target, precision = file
        path = tmp_path / f"net{TARGETS[target].suffix}"
        export(loaded, target, path, size=SIZE, precision=precision)  # type: ignore[arg-type]
        loaded = load_model(f"{target}:{path}")
    image = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3), dtype=np.uint8)
    loaded.predict(image)
    benchmark(loaded.predict, image)
