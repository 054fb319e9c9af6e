"""`robseg list`, `corrupt`, `report` and `doctor`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import corruptions
import robseg
from robseg.cli import GROUPS, entries
from robseg.datasets.base import Dataset
from robseg.models.catalogue import find
from robseg.models.model import Model
from tests.invoke import invoke as run


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["evaluate", "--help"], ["train", "--help"], ["list", "models"], ["list", "corruptions"]],
)
def test_help_and_lists_do_without_torch_and_pandas(arguments: list[str]) -> None:
    code = (
        "import sys; from robseg.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        "assert not {'torch', 'pandas'} & sys.modules.keys(), 'torch or pandas was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_an_unknown_command_is_refused_with_the_nearest() -> None:
    result = run("evalute")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Unknown command 'evalute': did you mean 'evaluate'?")


def test_every_command_is_in_a_group_of_the_help_with_its_line() -> None:
    assert {entry.group for entry in entries()} == set(GROUPS)
    shown = " ".join(run("--help").output.split())
    places = [shown.index(f"{group}: ") for group in GROUPS]
    assert places == sorted(places)
    for entry in entries():
        assert entry.text.endswith(".")
        assert f"{entry.name} {entry.text}" in shown


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_models_are_listed_with_what_they_score() -> None:
    card = find("enet@streets")
    low, high = (f"{100 * end:.1f}" for end in card.published_interval)
    assert (
        f"{100 * card.published_miou:.1f} ({low}–{high})  shipped" in run("list", "models", "enet@s*").output
    )


def test_lists_can_be_filtered_and_read_by_machines() -> None:
    rows = json.loads(run("list", "corruptions", "*_noise", "--json").stdout)
    assert [row["name"] for row in rows] == [n for n in corruptions.names("all") if n.endswith("_noise")]
    assert len(rows[0]["parameters"]) == 5
    assert {row["name"] for row in json.loads(run("list", "datasets", "--json").stdout)} >= {
        "streets",
        "camvid",
    }
    assert "kamann-rother" in run("list", "protocols").output


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    result = run("list", "model")
    assert result.exit_code == 2
    assert "did you mean 'models'" in result.output


def test_corrupted_images_are_lossless_and_keyed_by_their_name(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "in" / "sub" / "a.png")
    result = run(
        "corrupt", tmp_path / "in", "-c", "fog,pixelate", "-s", "2,4", "-o", tmp_path / "out", "--seed", 5
    )
    assert result.exit_code == 0, result.output
    for name in ("fog", "pixelate"):
        for severity in (2, 4):
            saved = np.asarray(Image.open(tmp_path / "out" / name / str(severity) / "sub" / "a.png"))
            expected = corruptions.corrupt(image, name, severity, seed=5, key="sub/a")
            np.testing.assert_array_equal(saved, expected)


def test_a_contact_sheet_shows_every_corruption_and_severity(tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), "red").save(tmp_path / "a.png")
    result = run("corrupt", tmp_path / "a.png", "-c", "fog,pixelate", "-o", tmp_path / "out", "--sheet")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out" / "a.png") as sheet:
        assert sheet.size == (5 * 256, 2 * (128 + 16))


@pytest.mark.parametrize("source", ["nowhere.png", "text.png", "empty"])
def test_what_cannot_be_corrupted_is_named(tmp_path: Path, source: str) -> None:
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty").mkdir()
    result = run("corrupt", tmp_path / source, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert source in result.output
    assert not list((tmp_path / "out").rglob("*.png"))


def test_report_rewrites_what_was_deleted(model: Model, dataset: Dataset, tmp_path: Path) -> None:
    robseg.evaluate(model, dataset, "fog", (1,), out=tmp_path, examples=False)
    scores = (tmp_path / "scores.csv").read_bytes()
    for name in ("scores.csv", "report.html"):
        (tmp_path / name).unlink()
    result = run("report", tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "scores.csv").read_bytes() == scores
    assert (tmp_path / "report.html").is_file()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    result = run("report", tmp_path)
    assert result.exit_code == 2
    assert "run.json" in result.output


def test_doctor_finds_what_is_there_and_says_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROBSEG_DATA_ROOT", raising=False)
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "torch" in result.output
    assert "camvid           not found" in result.output
    assert "streets" in result.output
