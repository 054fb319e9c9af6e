"""A new kind of number is a file: this one goes through evaluation, comparison, gate and report unaided."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

import reports
import robseg
from reports import tallies
from reports.compare.compare import compare_runs
from reports.gate.gate import run_gate
from reports.gate.rules import OFF, Rules
from reports.run.errors import InvalidRun
from reports.run.tally import Columns, Measure, Prediction, Row, Tally, Unit
from robseg.cli import cli
from robseg.datasets.base import Dataset
from robseg.models.model import Model

Floats = NDArray[np.float64]


def count(prediction: Prediction, target: NDArray[np.uint8], num_classes: int) -> Row:
    """Count the pixels of the largest connected region of each class that are wrongly another class."""
    wrong = (prediction.labels != target) & (target != 255)
    largest = np.zeros(num_classes, np.int64)
    for c in range(num_classes):
        regions, _ = ndimage.label(wrong & (target == c))
        largest[c] = np.bincount(regions.ravel())[1:].max(initial=0)
    return {"largest": largest, "images": np.ones(1, np.int64)}


def mean_pixels(columns: Columns) -> Floats:
    mean: Floats = columns["largest"].sum(axis=-2) / columns["images"][..., 0, :]
    return mean


def class_pixels(columns: Columns) -> Floats:
    mean: Floats = columns["largest"] / columns["images"]
    return mean


def blobs(argument: str) -> Tally:
    assert argument == ""
    return Tally(
        name="blobs",
        title="Blobs",
        note="A blob is the largest connected region of wrong pixels of a class.",
        columns={"largest": "classes", "images": 1},
        count=count,
        measures=(
            Measure("blob", "wrong blob", mean_pixels, better="lower", unit=Unit("pixels", 1.0, 1)),
            Measure("class_blob", "wrong blob of a class", class_pixels, better="lower", by_class=True),
        ),
    )


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_makers", dict(tallies._makers))
    tallies.register("blobs", blobs)


@pytest.fixture
def run(model: Model, dataset: Dataset, tmp_path: Path) -> Path:
    """A run whose counts of blobs stand beside those of the primary tally."""
    out = tmp_path / "run"
    robseg.evaluate(model, dataset, "fog,gaussian_noise", (2, 5), tallies=("blobs",), out=out)
    return out


@pytest.fixture
def worse(model: Model, dataset: Dataset, tmp_path: Path) -> Path:
    """The same run of the same model under other weights: one class everywhere."""

    def sky(images: Tensor) -> Tensor:
        return images[:, 0].long() * 0

    out = tmp_path / "worse"
    robseg.evaluate(sky, dataset, "fog,gaussian_noise", (2, 5), tallies=("blobs",), out=out)
    return out


def test_its_counts_are_stored_scored_and_written(run: Path, model: Model, dataset: Dataset) -> None:
    table = pd.read_csv(run / "blobs.csv")
    samples = [dataset.read(index) for index in range(len(dataset))]
    labels = [model.predict(sample.image[None])[0] for sample in samples]
    counts = [
        count(Prediction(a), s.target, 3)["largest"].sum() for a, s in zip(labels, samples, strict=True)
    ]
    assert table["blob"][0] == np.mean(counts)
    assert {"blob_low", "blob_high"} <= set(table)
    assert {"blobs_means.csv", "blobs_classes.csv"} <= {path.name for path in run.iterdir()}
    assert reports.load(run).scores["miou"].notna().all()


def test_a_comparison_calls_a_larger_blob_worse(run: Path, worse: Path) -> None:
    (comparison,) = compare_runs(run, worse, tally="blobs")
    rows = comparison.table.set_index(["measure", "kind", "name"])["difference"]
    assert ("blob", "overall", "mpc") in rows.index
    assert ("class_blob", "class", "sky") in rows.index
    assert ("blob", "overall", "rpc") not in rows.index  # what is kept of an error says nothing
    result = CliRunner().invoke(cli, ["compare", str(run), str(worse), "--tally", "blobs"])
    assert result.exit_code == 0, result.output
    assert "Groups: wrong blob over the conditions of a group" in result.output


def test_a_gate_takes_a_larger_blob_for_a_loss_and_not_for_a_rise(run: Path, worse: Path) -> None:
    overall = compare_runs(run, worse, tally="blobs")[0].table.set_index(["measure", "kind", "name"])
    grown = overall["difference"]["blob", "overall", "mpc"]
    assert grown > 0
    for rule, verdict in {"max_drop": "fail", "max_rise": "pass"}.items():
        limits: dict[str, Any] = {"max_drop": {"default": OFF}}
        limits.setdefault(rule, {})["blobs/mpc"] = grown / 2
        rules = Rules(**limits, intervals=False)
        (check,) = run_gate(worse, run, rules).checks
        assert (check.target, check.verdict) == ("blobs/mpc", verdict)
        assert abs(check.value) == pytest.approx(grown)
    limit = overall["second"]["blob", "overall", "mpc"]
    for ceiling, verdict in {limit - 1: "fail", limit + 1: "pass"}.items():
        gate = run_gate(worse, None, Rules(floor={"blobs/mpc": ceiling}, intervals=False))
        assert gate.checks[0].verdict == verdict
    with pytest.raises(InvalidRun, match="no 'blobs/rpc'"):
        run_gate(worse, run, Rules(max_drop={"blobs/rpc": 1.0}))


def test_a_baseline_file_keeps_it(run: Path, worse: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.zip"
    invoke = CliRunner().invoke
    assert invoke(cli, ["baseline", "save", str(run), "-o", str(baseline)]).exit_code == 0
    args = ["gate", str(worse), "-b", str(baseline), "--max-drop", "blobs/mpc=1", "--no-intervals"]
    result = invoke(cli, args)
    assert result.exit_code == 1, result.output
    assert "loss blobs/mpc" in result.output


def test_page_markdown_and_console_show_it(run: Path) -> None:
    page = (run / "report.html").read_text()
    section = page[page.index("<h3>Blobs</h3>") :].split("</section>")[0]
    assert "A blob is the largest connected region" in section
    assert "wrong blob, pixels" in section
    assert CliRunner().invoke(cli, ["report", str(run), "--format", "markdown"]).exit_code == 0
    assert "Blobs: wrong blob in pixels" in (run / "report.md").read_text()
    result = CliRunner().invoke(cli, ["report", str(run)])
    assert "wrong blob" in result.output
