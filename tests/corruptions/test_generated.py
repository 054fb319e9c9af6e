"""What reports and docs know of the corruptions follows the records."""

import csv
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

import corruptions
from reports.html.strength import psnr
from reports.scoring.protocols import MOVES_PIXELS, PROTOCOLS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "corruptions.md").read_text(encoding="utf-8")
STALE = "the corruptions changed: run `make generated` and commit the files that it writes"


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "make_generated.py"))


def test_the_table_for_reports_is_that_of_the_records(generator: dict[str, Any]) -> None:
    table = ROOT / "reports" / "scoring" / "corruptions.csv"
    assert table.read_text(encoding="utf-8") == generator["corruption_rows"](), STALE


@pytest.mark.parametrize("part", ["captions", "parameter_table"])
def test_the_documentation_is_that_of_the_records(part: str, generator: dict[str, Any]) -> None:
    assert generator[part]() in PAGE, STALE


VERSIONS = {name: member.version for name, member in corruptions.SETS.items()}


def test_every_corruption_and_severity_of_this_version_has_a_measured_strength() -> None:
    records = [corruptions.get(name) for name in corruptions.names()]
    conditions = {(record.name, severity) for record in records for severity in record.severities}
    assert set(psnr(VERSIONS)) == conditions, STALE


def test_measured_strengths_are_the_documented_ones() -> None:
    measured = psnr(VERSIONS)
    for name in corruptions.names():
        levels = " ".join(f"{measured[name, severity]:.1f}" for severity in corruptions.get(name).severities)
        assert any(f"| {name}{mark} | {levels} |" in PAGE for mark in ("", " (not monotone)")), STALE


@pytest.mark.parametrize("name", ["contrast", "gaussian_noise"])
def test_strengths_are_what_they_say(name: str) -> None:
    photographs = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    pairs = [(image, corruptions.corrupt(image, name, 3, key=str(i))) for i, image in enumerate(photographs)]
    mean = np.mean([peak_signal_noise_ratio(*pair) for pair in pairs])
    assert psnr(VERSIONS)[name, 3] == round(float(mean), 1), STALE


def test_protocol_full_has_every_corruption_at_every_severity() -> None:
    expected = {name: corruptions.get(name).severities for name in corruptions.names()}
    assert dict(PROTOCOLS["full"].severities) == expected, STALE


def test_published_protocols_have_the_corruptions_of_their_subsets() -> None:
    subsets = {"kamann-rother": "kamann", "imagenet-c": "common", "mpc": "common"}
    for protocol, subset in subsets.items():
        assert set(PROTOCOLS[protocol].corruptions) == set(corruptions.names(subset)), STALE
    both = set(corruptions.names("kamann")) & set(corruptions.names("imagenet-c"))
    assert set(PROTOCOLS["segformer"].corruptions) == set(PROTOCOLS["level5"].corruptions) == both, STALE


def test_protocols_know_the_corruptions_that_move_pixels() -> None:
    assert {name for name in corruptions.names() if corruptions.get(name).moves_pixels} == MOVES_PIXELS, STALE


def test_every_generated_table_is_read_by_the_reports_as_it_is_written() -> None:
    for table in ("scoring/corruptions.csv", "html/strength.csv"):
        with (ROOT / "reports" / table).open(encoding="utf-8", newline="") as file:
            names = dict.fromkeys(row["corruption"] for row in csv.DictReader(file))
        assert tuple(names) == corruptions.names(), STALE
