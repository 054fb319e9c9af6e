"""`robseg evaluate --refine` as a user types it, and what it says to a user's mistakes."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from robseg.datasets.base import Dataset
from robseg.models.refine.files import write_offsets
from tests.invoke import invoke

run = partial(invoke, "evaluate")


@pytest.fixture
def asked(tree: Path, weights: Path, tmp_path: Path) -> list[object]:
    """A good command without its refinement."""
    options = ["-m", "enet", "-w", weights, "-d", "folder", "--data-root", tree, "-c", "none"]
    return [*options, "-o", tmp_path / "out", "-j0", "--no-examples"]


def test_offsets_of_a_folder_refine_every_model(
    asked: list[object], dataset: Dataset, tmp_path: Path
) -> None:
    for index, image in enumerate(dataset.ids):
        shape = dataset.read(index).target.shape
        write_offsets(tmp_path / f"{image}.mat", np.zeros((*shape, 2), np.int8))
    result = run(*asked, "--refine", "segfix", "--offsets", tmp_path, "--refine-scale", 3)
    assert result.exit_code == 0, result.output
    assert "enet:tiny+segfix" in result.output
    scores = (tmp_path / "out" / "scores.csv").read_text().splitlines()
    plain, refined = (line.partition(",")[2] for line in scores[1:])
    assert plain == refined  # no offset changes nothing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--refine", "segfix", "--offsets", "nowhere"], "5 of 5 have none"),
        (["--refine", "segfix", "--refine-weights", "nowhere.pth"], "no such file"),
        (["--refine", "enet"], "'segfix' or the id of a SegFix"),
        (["--offsets", "nowhere"], "add --refine segfix"),
        (["--refine-weights", "nowhere.pth"], "add --refine segfix"),
        (["--refine-scale", "2"], "add --refine segfix"),
        (["--refine", "segfix", "--refine-scale", "0"], "--refine-scale"),
    ],
)
def test_mistakes_end_with_2_and_say_what_to_do(
    asked: list[object], tmp_path: Path, options: list[str], message: str
) -> None:
    result = run(*asked, *options)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_the_dry_run_counts_refined_predictions(
    asked: list[object], dataset: Dataset, tmp_path: Path
) -> None:
    for index, image in enumerate(dataset.ids):
        write_offsets(tmp_path / f"{image}.mat", np.zeros((*dataset.read(index).target.shape, 2), np.int8))
    result = run(*asked, "--refine", "segfix", "--offsets", tmp_path, "--dry-run")
    assert "enet:tiny, enet:tiny+segfix" in result.output
    assert f"Predictions  {2 * len(dataset)}" in result.output
