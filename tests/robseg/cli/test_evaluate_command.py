"""`robseg evaluate` as a user types it, and what it says to a user's mistakes."""

import pickle
import re
from functools import partial
from pathlib import Path

import pytest
import torch
from click.testing import Result
from PIL import Image

from robseg.datasets.base import Dataset
from robseg.evaluation.cost import cost_of
from robseg.evaluation.job import prepare
from robseg.evaluation.request import Request
from robseg.evaluation.shards import missing_shards
from robseg.evaluation.store import Store
from robseg.models.model import Model
from tests.invoke import invoke


class Dangerous:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("echo executed",)


run = partial(invoke, "evaluate")


@pytest.fixture
def asked(tree: Path, weights: Path, tmp_path: Path) -> list[object]:
    """A good command; later options override earlier ones."""
    out = tmp_path / "out"
    return [
        "-m",
        "enet",
        "-w",
        weights,
        "-d",
        "folder",
        "--data-root",
        tree,
        "-c",
        "fog",
        "-s",
        "2",
        "-o",
        out,
        "-j0",
    ]


def assert_refused(result: Result, *said: str) -> None:
    """A user's mistake: exit code 2, one or two lines, no traceback."""
    assert result.exit_code == 2, result.output
    assert result.output.startswith("Error: ")
    assert len(result.output.strip().splitlines()) <= 2
    for text in said:
        assert text in result.output


def test_profile_shows_the_share_of_each_stage(asked: list[object]) -> None:
    said = run(*asked, "--profile", "--prefetch-threads", 2).output
    table = said[said.index("Time of the run") :]
    shares = dict(
        re.findall(r"(read|corrupt|predict:enet:\w+|count:confusion|write) +[\d.]+ +([\d.]+) %", table)
    )
    assert len(shares) == 5
    assert sum(map(float, shares.values())) == pytest.approx(100, abs=0.3)
    worked, waited = map(float, re.findall(r"(?:predictions|waited) ([\d.]+) %", table))
    assert worked + waited == pytest.approx(100, abs=0.1)


def test_a_run_ends_with_a_summary_and_the_reports_path(asked: list[object], tmp_path: Path) -> None:
    result = run(*asked)
    assert result.exit_code == 0, result.output
    assert "fog" in result.output
    assert str(tmp_path / "out" / "report.html") in result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {
        "run.json", "counts", "scores.csv", "classes.csv", "summary.csv", "report.html"
    }  # fmt: skip


def test_a_dry_run_shows_the_grid_and_writes_nothing(asked: list[object], tmp_path: Path) -> None:
    result = run(*asked, "--dry-run", "-c", "fog,snow", "-s", "1-3")
    assert result.exit_code == 0, result.output
    assert "Predictions  35, of which 0 are on disk" in result.output
    assert re.search(r"Time +about \d+ s on one core", result.output)
    assert re.search(r"Workers +1: \d+ s, 16: \d+ s, 64: \d+ s", result.output)
    assert not (tmp_path / "out").exists()
    part = run(*asked, "--dry-run", "-c", "fog,snow", "-s", "1-3", "--part", "1/7")
    assert "Predictions  35, of which 0 are on disk" in part.output
    assert "Part         1 of 7: 5 predictions to make" in part.output


def test_the_cost_of_a_run_is_that_of_its_shards(model: Model, dataset: Dataset) -> None:
    job = prepare(Request(model, dataset, "fog", (1, 2, 3), batch_size=2))
    shards = missing_shards(job.conditions, job.dataset.ids, [*job.models], ["confusion"], ())
    few, many = cost_of(job, shards[:1]), cost_of(job, shards)
    assert few.predicting < many.predicting
    assert few.beside < many.beside
    assert few.longest == pytest.approx(few.predicting + few.beside, rel=0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-m", "enett", "-w", "x.pth"], "'enet'"),
        (["-c", "fgo"], "fog"),
        (["-d", "camvit"], "camvid"),
        (["--protocol", "kaman", "-c", "all"], "kamann-rother"),
        (["--protocol", "mpc"], "Expected a protocol alone"),
        (["-s", "0"], "from 1 to 5"),
        (["-s", "one"], "1,3,5 or 1-3"),
        (["--split", "vall"], "split"),
        (["--data-root", "/nowhere"], "/nowhere"),
        (["--device", "cuda:77"], "cuda:77"),
        (["-w", "nowhere.pth"], "nowhere.pth"),
        (["-m", "enet"], "one --weights for each model"),
        (["-m", "all", "-w", "x.pth"], "name the one model that the weights belong to"),
        (["-m", "enet@*", "-w", "x.pth"], "name the one model that the weights belong to"),
        (["-m", "y.pth", "-w", "x.pth"], "name the one model that the weights belong to"),
        (["--executor", "locall"], "did you mean 'local'"),
    ],
)
def test_a_wrong_name_or_value_is_refused(
    asked: list[object], tmp_path: Path, options: list[str], said: str
) -> None:
    doubled = ["-m", "-w"]  # repeatable: the good one goes when a wrong one is given
    if options[0] in doubled and options != ["-m", "enet"]:
        for option in options[::2]:
            place = asked.index(option)
            asked = asked[:place] + asked[place + 2 :]
    severities = [] if "--protocol" not in options else ["-s", "2"]
    if severities:
        place = asked.index("-s")
        asked = asked[:place] + asked[place + 2 :]
    assert_refused(run(*asked, *options), said)
    assert_refused(run(*asked, *options, "--dry-run"), said)
    assert not (tmp_path / "out").exists()


def test_a_truncated_image_is_named(asked: list[object], tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    for path in tree.rglob("*"):
        if path.is_file():
            (root / path.relative_to(tree)).parent.mkdir(parents=True, exist_ok=True)
            (root / path.relative_to(tree)).write_bytes(path.read_bytes())
    broken = root / "images" / "3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    assert_refused(run(*asked, "--data-root", root), "3.png")
    assert not (tmp_path / "out" / "scores.csv").exists()
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_a_label_outside_the_classes_is_named(asked: list[object], tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    (root / "dataset.toml").write_text((tree / "dataset.toml").read_text())
    Image.new("RGB", (32, 24)).save(root / "images" / "a.png")
    Image.new("L", (32, 24), 9).save(root / "masks" / "a.png")
    assert_refused(run(*asked, "--data-root", root), "a.png", "9")


def test_a_checkpoint_that_would_execute_code_is_refused(asked: list[object], tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Dangerous()))
    place = asked.index("-w")
    asked[place + 1] = path
    result = run(*asked)
    assert_refused(result, "evil.pth")
    assert "executed" not in result.output


def test_a_checkpoint_that_does_not_fit_says_what_differs(asked: list[object], tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(3)}, path)
    asked[asked.index("-w") + 1] = path
    assert_refused(run(*asked), "layer.weight")


def test_a_folder_in_use_is_refused(asked: list[object], tmp_path: Path) -> None:
    with Store(tmp_path / "out"):
        assert_refused(run(*asked), "another robseg is at work")


def test_a_weights_file_needs_an_architecture(asked: list[object], weights: Path) -> None:
    place = asked.index("-m")
    asked = [*asked[:place], "-m", weights, *asked[place + 4 :]]
    assert_refused(run(*asked), "Expected --arch")
    assert_refused(run(*asked, "--arch", "ennet"), "Unknown architecture 'ennet': did you mean 'enet'?")
    result = run(*asked, "--arch", "enet")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("weights_too", [True, False])
def test_an_architecture_needs_a_weights_file(asked: list[object], weights_too: bool) -> None:
    place = asked.index("-w")
    asked = asked if weights_too else asked[:place] + asked[place + 2 :]
    assert_refused(run(*asked, "--arch", "icnet"), "Expected --arch with a weights file as the model")


def test_a_json_file_beside_another_programs_weights_is_not_a_card(
    asked: list[object], tmp_path: Path
) -> None:
    place = asked.index("-m")
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    (tmp_path / "other.json").write_text("{}")
    asked = [*asked[:place], "-m", tmp_path / "other.pth", *asked[place + 4 :]]
    assert_refused(run(*asked), "Expected --arch")
