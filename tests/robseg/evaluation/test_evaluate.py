"""A whole evaluation: the same bytes however it was done, and right by an independent count."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import corruptions
import robseg
from reports.run.record import RunRecord
from robseg.cli import cli
from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.models.model import Model
from tests.robseg.evaluation.files import counts, tables


@pytest.fixture(scope="module")
def whole(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of fog and pixelate, to compare with."""
    out = tmp_path_factory.mktemp("whole") / "run"
    robseg.evaluate(model, dataset, "fog,pixelate", (1, 4), out=out)
    return out


def test_scores_equal_an_independent_count(whole: Path, model: Model, dataset: Dataset) -> None:
    scores = pd.read_csv(whole / "scores.csv")
    row = scores[(scores.corruption == "fog") & (scores.severity == 4)].iloc[0]
    intersection, union, right, labelled = np.zeros(3), np.zeros(3), 0, 0
    for index in range(len(dataset)):
        sample = dataset.read(index)
        image = corruptions.corrupt(sample.image, "fog", 4, seed=0, key=sample.id)
        prediction = model.predict(image[None])[0]
        kept = sample.target != 255
        right += np.sum(kept & (prediction == sample.target))
        labelled += kept.sum()
        for c in range(3):
            intersection[c] += np.sum(kept & (prediction == c) & (sample.target == c))
            union[c] += np.sum(kept & ((prediction == c) | (sample.target == c)))
    assert row.miou == pytest.approx(np.mean(intersection / union), abs=1e-12)
    assert row.pixel_accuracy == pytest.approx(right / labelled, abs=1e-12)
    assert row.images == len(dataset)


def test_results_are_data_frames_and_load_finds_them_again(whole: Path) -> None:
    results = robseg.load(whole)
    assert len(results.scores) == 5
    assert set(results.classes["class"]) == {"sky", "road", "car"}
    assert results.summary.mpc.notna().all()


def test_the_record_says_what_was_run(whole: Path, model: Model, dataset: Dataset) -> None:
    record = RunRecord.load(whole)
    assert record.images == dataset.ids
    assert record.set_versions == {"imagenet-c": "1"}
    assert record.models[0].sha256 == model.sha256
    assert record.models[0].parameters == model.parameters
    assert record.models[0].ms_per_image is not None
    assert {"read", "corrupt", "count:confusion", "write", "score", "wall"} <= record.seconds.keys()
    assert all((whole / example.prediction).is_file() for example in record.examples)


def test_two_workers_give_the_same_bytes(whole: Path, model: Model, dataset: Dataset, tmp_path: Path) -> None:
    robseg.evaluate(model, dataset, "fog,pixelate", (1, 4), out=tmp_path, num_workers=2, examples=False)
    assert tables(tmp_path) == tables(whole)
    assert counts(tmp_path) == counts(whole)


def test_asking_for_more_computes_only_what_is_missing(
    whole: Path, model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    robseg.evaluate(model, dataset, "fog", (1,), out=tmp_path, limit=2, examples=False)
    before = counts(tmp_path)
    done = []
    robseg.evaluate(
        model,
        dataset,
        "fog,pixelate",
        (1, 4),
        out=tmp_path,
        examples=False,
        progress=lambda p: done.append(p.done),
    )
    assert done[-1] == 5 * 5 - 2 * 2
    assert done == list(range(22))  # after each image, not only after each shard
    assert before.items() <= counts(tmp_path).items()
    assert tables(tmp_path) == tables(whole)


def test_a_run_goes_on_where_more_labels_are_declared_but_not_where_one_means_something_else(
    model: Model, tree: Path, tmp_path: Path
) -> None:
    file = shutil.copytree(tree, tmp_path / "data") / "dataset.toml"
    out, done = tmp_path / "run", []

    def evaluate(ignored: str, names: str) -> None:
        file.write_text(file.read_text().rpartition("ignore")[0] + f"ignore = {ignored}")
        data = open_dataset("folder", file)
        robseg.evaluate(
            model, data, names, (1,), out=out, examples=False, progress=lambda p: done.append(p.done)
        )

    evaluate("[255]", "none")
    before = counts(out)
    evaluate("[255, 7, 65535]", "fog")
    assert done[-1] == 5
    assert before.items() < counts(out).items()
    with pytest.raises(InputError, match="its class of label 255 is 255 and None was asked for"):
        evaluate("[7]", "fog")


def test_every_second_image_is_counted_as_among_all(
    whole: Path, model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    clustered = dataclasses.replace(dataset, clusters=tuple("aabbc"))
    results = robseg.evaluate(model, clustered, "fog", (1,), out=tmp_path, every=2, limit=2, examples=False)
    assert results.record.images == (dataset.ids[0], dataset.ids[2])
    assert results.record.clusters == ("a", "b")
    columns = ["corruption", "severity", "image", "tp", "fp", "fn"]
    here, all_of_them = (
        pd.read_parquet(run / "counts")[columns].astype(str).apply(tuple, axis=1) for run in (tmp_path, whole)
    )
    assert len(here) == 4
    assert set(here) < set(all_of_them)


def test_a_deleted_shard_is_computed_again(whole: Path, model: Model, dataset: Dataset) -> None:
    before = counts(whole)
    (whole / next(iter(before))).unlink()
    robseg.evaluate(model, dataset, "fog,pixelate", (1, 4), out=whole, examples=False)
    assert counts(whole) == before


def test_another_seed_needs_another_folder(whole: Path, model: Model, dataset: Dataset) -> None:
    before = tables(whole)
    with pytest.raises(InputError, match="seed is 0 and 1 was asked for"):
        robseg.evaluate(model, dataset, "fog", out=whole, seed=1)
    assert tables(whole) == before


def test_targets_move_with_pixels_unless_asked_otherwise(
    model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    moved, kept = (
        robseg.evaluate(
            model,
            dataset,
            "elastic_transform",
            (5,),
            out=tmp_path / str(move),
            move_targets=move,
            examples=False,
        )
        for move in (True, False)
    )
    assert moved.scores.miou[0] == kept.scores.miou[0]
    assert moved.scores.miou[1] != kept.scores.miou[1]


@pytest.mark.parametrize("option", ["data_root", "split"])
def test_an_opened_data_set_has_its_folder_and_split(
    model: Model, dataset: Dataset, tmp_path: Path, option: str
) -> None:
    with pytest.raises(InputError, match="Expected an opened Dataset alone, but got data_root or split too"):
        robseg.evaluate(model, dataset, "none", out=tmp_path / "out", **{option: "val"})  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": []}, "Expected at least one model, but got none"),
        ({"model": None}, "Expected at least one model, but got none"),
        ({"model": [3]}, "Expected the name of a model, a Model or a callable, but got 3"),
        ({"dataset": 3}, "Expected the name of a data set, a Dataset, .* but got 3"),
        ({"model": "ennet", "dataset": "camvid", "data_root": "/nowhere"}, "Unknown model 'ennet'"),
    ],
)
def test_what_is_no_model_or_data_set_is_refused_before_anything_is_opened(
    given: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        robseg.evaluate(**{"model": "enet", "corruptions": "none", **given})
    assert not list(tmp_path.iterdir())


def test_models_of_one_name_are_refused(model: Model, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="twice"):
        robseg.evaluate([model, model], dataset, "none", out=tmp_path)


def test_a_killed_run_continues_to_the_same_bytes(tree: Path, weights: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    words = f"-m enet -w {weights} -d folder --data-root {tree} -c fog,pixelate --no-examples".split()

    def command(out: Path) -> None:
        result = CliRunner().invoke(cli, ["evaluate", *words, "-j", "0", "-o", str(out)])
        assert result.exit_code == 0, result.output

    command(whole)
    process = subprocess.Popen(
        [sys.executable, "-m", "robseg", "evaluate", *words, "-j", "1", "-o", str(killed)],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not any((killed / "counts").glob("*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(counts(killed)) < len(counts(whole))
    assert not (killed / "scores.csv").exists()
    command(killed)
    assert tables(killed) == tables(whole)
    assert counts(killed) == counts(whole)
