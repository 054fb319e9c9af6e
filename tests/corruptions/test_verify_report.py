"""The report on the agreement with imagecorruptions finds what differs."""

import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

import corruptions
from corruptions import engine, verify
from robseg.cli.commands.corruptions import command as corruptions_
from robseg.cli.output import FAULT

IMAGE = verify.photograph(48, 64)


def report(name: str, severity: int, copies: int = 30) -> verify.Agreement:
    [row] = verify.verify(IMAGE, [name], [severity], copies=copies)
    return row


@pytest.mark.parametrize("name", ["contrast", "jpeg_compression", "gaussian_blur"])
def test_a_deterministic_corruption_agrees_sample_by_sample(name: str) -> None:
    row = report(name, 3)
    assert row.agrees
    assert row.largest <= 1
    assert abs(row.bias) <= 0.01
    assert math.isnan(row.p_value)


@pytest.mark.parametrize("name", ["gaussian_noise", "fog"])
def test_a_random_corruption_agrees_in_its_distribution(name: str) -> None:
    row = report(name, 2)
    assert row.agrees
    assert 0.001 < row.p_value <= 1


def test_a_difference_of_two_levels_does_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    corrupt = engine.corrupt

    def wrong(image: NDArray[np.uint8], name: str, severity: int) -> NDArray[np.uint8]:
        corrupted = corrupt(image, name, severity)
        corrupted[0, 0] += np.uint8(2)
        return corrupted

    monkeypatch.setattr(engine, "corrupt", wrong)
    row = report("contrast", 5)
    assert not row.agrees
    assert row.largest >= 2


def test_rounding_in_place_of_cutting_off_does_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    corrupt = engine.corrupt

    def rounded(image: NDArray[np.uint8], name: str, severity: int) -> NDArray[np.uint8]:
        corrupted = corrupt(image, name, severity)
        corrupted[::2] += np.uint8(1)
        return corrupted

    monkeypatch.setattr(engine, "corrupt", rounded)
    row = report("contrast", 5)
    assert row.bias == pytest.approx(0.5, abs=0.02)
    assert not row.agrees


def test_stronger_noise_does_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    corrupt = corruptions.corrupt

    def stronger(image: NDArray[np.uint8], name: str, severity: int, **keys: object) -> NDArray[np.uint8]:
        return corrupt(image, name, severity + 1, **keys)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "corrupt", stronger)
    assert not report("gaussian_noise", 1).agrees
    assert not report("spatter", 3).agrees


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(corruptions_, ["verify", *arguments])
    return (
        result.exit_code,
        result.output if result.exception is None else f"{result.output}{result.exception}",
    )


def test_the_command_prints_a_line_for_each_and_the_verdict(tmp_path: Path) -> None:
    Image.fromarray(IMAGE).save(tmp_path / "photo.png")
    chosen = "contrast,impulse_noise,psf_blur"
    code, output = run("-c", chosen, "-s", "2,4", "--copies", "20", "--image", str(tmp_path / "photo.png"))
    assert code == 0, output
    lines = output.splitlines()
    assert [line.split()[:2] for line in lines[1:5]] == [
        [name, severity] for name in ("contrast", "impulse_noise") for severity in ("2", "4")
    ]
    assert lines[-1].startswith("All 4 agree")


def test_the_command_fails_where_they_do_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "corrupt", lambda image, *_: image)
    code, output = run("-c", "contrast", "-s", "3")
    assert code == FAULT
    assert "1 of 1 do not agree: contrast 3" in output


def test_the_command_refuses_what_cannot_be_compared(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("text")
    Image.new("RGB", (20, 40)).save(tmp_path / "small.png")
    assert "nothing to compare" in run("-c", "psf_blur")[1]
    assert "Expected a readable image" in run("--image", str(tmp_path / "text.png"))[1]
    assert "at least 32x32 pixels" in run("--image", str(tmp_path / "small.png"))[1]
