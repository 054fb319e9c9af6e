"""A run that looks broken says so, where people look, and ends as usual."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import robseg
from robseg.cli import cli
from robseg.datasets.base import Dataset
from robseg.models.model import Model

SENTENCE = "Under fog (2, 3), half of the images or more have the same counts as on clean images"


def test_a_corruption_that_does_nothing_is_noticed(
    tree: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(image: NDArray[np.uint8], *_: object, **__: object) -> NDArray[np.uint8]:
        return image.copy()

    monkeypatch.setattr("corruptions.corrupt", nothing)
    out = tmp_path / "run"
    asked = ["-m", "enet", "-w", weights, "-d", "folder", "--data-root", tree, "-c", "fog", "-s", "2,3"]
    result = CliRunner().invoke(cli, ["evaluate", *map(str, asked), "-j0", "-o", str(out)])
    assert result.exit_code == 0
    assert f"Warning: {SENTENCE}" in " ".join(result.output.split())
    assert "unchanged" in [warning.rule for warning in robseg.load(out).warnings]
    page = (out / "report.html").read_text()
    assert page.index('id="sanity"') < page.index('id="summary"')
    assert SENTENCE in page
    CliRunner().invoke(cli, ["report", str(out), "--format", "markdown"])
    assert "**Warning:** Under fog (2, 3)" in (out / "report.md").read_text()


def test_a_corruption_that_does_something_is_not(model: Model, dataset: Dataset, tmp_path: Path) -> None:
    results = robseg.evaluate(model, dataset, "fog", (2, 3), out=tmp_path, examples=False)
    assert results.warnings == ()
