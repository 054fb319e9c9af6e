"""A whole evaluation of somebody else's model, from Python and from the command line."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

import robseg
from reports.run.record import RunRecord
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from tests.invoke import invoke

MODULE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.eye(3)[..., None, None])

    def forward(self, images):
        return {"out": self.layer(images)}

def make():
    return Net()

def broken():
    raise RuntimeError("no weights here")
"""


def brightest(images: Tensor) -> Tensor:
    return images


def darkest(images: Tensor) -> Tensor:
    return -images


evaluate = partial(invoke, "evaluate")


def test_a_callable_is_scored(dataset: Dataset, tmp_path: Path) -> None:
    results = robseg.evaluate(brightest, dataset, "none", out=tmp_path)
    right = labelled = 0
    for index in range(len(dataset)):
        sample = dataset.read(index)
        kept = sample.target != 255
        right += int(((sample.image.argmax(2) == sample.target) & kept).sum())
        labelled += int(kept.sum())
    clean = results.scores[results.scores.corruption == "clean"].iloc[0]
    assert clean.model == "brightest"
    assert clean.pixel_accuracy == pytest.approx(right / labelled)
    assert np.isnan(results.summary.parameters.iloc[0])
    record = RunRecord.load(tmp_path).models[0]
    assert (record.parameters, record.gmacs, record.sha256) == (None, None, "")
    assert "nan M" not in (tmp_path / "report.html").read_text()


def test_a_run_goes_on_with_the_same_callable_only(dataset: Dataset, tmp_path: Path) -> None:
    robseg.evaluate(brightest, dataset, "none", out=tmp_path, examples=False)
    robseg.evaluate(brightest, dataset, "brightness", (1,), out=tmp_path, examples=False)
    with pytest.raises(InputError, match="of the same run, but its brightest is"):
        robseg.evaluate(darkest, dataset, "none", card={"id": "brightest"}, out=tmp_path)


def test_several_models_are_distinguished(dataset: Dataset, tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1))
    results = robseg.evaluate([brightest, darkest, network], dataset, "none", out=tmp_path, examples=False)
    assert list(results.summary.model) == ["brightest", "darkest", "Sequential"]
    with pytest.raises(InputError, match="'brightest' twice"):
        robseg.evaluate([brightest, brightest], dataset, "none", out=tmp_path)
    with pytest.raises(InputError, match="leave --weights out"):
        robseg.evaluate(brightest, dataset, "none", weights="w.pth", out=tmp_path)
    model = robseg.load_model(brightest)
    with pytest.raises(InputError, match="pass them to load_model"):
        robseg.evaluate(model, dataset, "none", card={"mean": [1, 1, 1]}, out=tmp_path)


def test_a_card_without_the_data_sets_classes_is_reported(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks car"):
        robseg.evaluate(brightest, dataset, card={"class_names": ["sky", "road", "tree"]}, out=tmp_path)


def test_a_callable_that_cannot_be_sent_is_reported(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="use num_workers=0"):
        robseg.evaluate(lambda images: images, dataset, "none", out=tmp_path, num_workers=1)


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "models_of_mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return "py:models_of_mine"


def test_a_factory_is_evaluated_in_other_processes(factory: str, tree: Path, tmp_path: Path) -> None:
    asked = ["-d", "folder", "--data-root", tree, "-c", "none", "--no-examples"]
    for workers in (0, 1):
        result = evaluate("-m", f"{factory}:make", *asked, "-j", workers, "-o", tmp_path / f"run{workers}")
        assert result.exit_code == 0, result.output
    tables = [(tmp_path / f"run{workers}" / "scores.csv").read_bytes() for workers in (0, 1)]
    assert tables[0] == tables[1]
    assert pd.read_csv(tmp_path / "run0" / "summary.csv").parameters.tolist() == [9]


def test_a_card_is_given_on_the_command_line(factory: str, tree: Path, tmp_path: Path) -> None:
    asked = ["-m", f"{factory}:make", "-d", "folder", "--data-root", tree, "-c", "none", "-j", 0, "-o", "run"]
    (tmp_path / "card.json").write_text(json.dumps({"id": "mine", "class_names": ["car", "sky", "road"]}))
    result = evaluate(*asked, "--model-card", "card.json")
    assert result.exit_code == 0, result.output
    assert RunRecord.load(tmp_path / "run").models[0].card["class_names"] == ("car", "sky", "road")
    (tmp_path / "card.json").write_text(json.dumps({"means": [0, 0, 0]}))
    result = evaluate(*asked, "--model-card", "card.json")
    assert (result.exit_code, "did you mean 'mean'" in result.output) == (2, True)
    result = evaluate(*asked, "--model-card", "card.json", "--model-card", "card.json")
    assert (result.exit_code, "one --model-card for each model" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (":broken", "RuntimeError (no weights here)"),
        (":absent", "Expected 'absent' in the module 'models_of_mine', but there is none"),
        ("_absent:make", "Expected to import the module 'models_of_mine_absent'"),
    ],
)
def test_a_factorys_fault_ends_with_2(spec: str, message: str, factory: str, tree: Path) -> None:
    result = evaluate("-m", f"{factory}{spec}", "-d", "folder", "--data-root", tree)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_traced_file_needs_its_prefix(saved: Any, tree: Path, tmp_path: Path) -> None:
    asked = ["-d", "folder", "--data-root", tree, "-c", "none", "-j", 0, "-o", tmp_path, "--no-examples"]
    result = evaluate("-m", f"ts:{saved['traced.pt']}", *asked)
    assert result.exit_code == 0, result.output
    assert RunRecord.load(tmp_path).models[0].name == "ts:traced"
    for words in ([], ["--arch", "enet"]):
        result = evaluate("-m", saved["traced.pt"], *words, *asked)
        assert result.exit_code == 2, result.output
        assert "ts:" in result.output
