"""Trainings on data that leave something undefined."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from robseg.cli.commands.train import command as train

VOID = 11  # the label of unlabelled pixels in CamVid's targets


def run(camvid: Path, *arguments: object) -> Result:
    names = ("--dataset", "camvid", "--data-root", camvid, "--out", camvid / "out", "--epochs", 1)
    return CliRunner().invoke(train, [str(a) for a in (*names, "--crop", 64, 64, *arguments)])


@pytest.mark.parametrize("keep", ["--keep-best", "--no-keep-best"])
def test_without_a_labelled_pixel_to_validate_on_the_card_has_no_miou(camvid: Path, keep: str) -> None:
    for path in (camvid / "valannot").iterdir():
        Image.fromarray(np.full((40, 48), VOID, np.uint8)).save(path)
    result = run(camvid, "--model", "enet", "--batch-size", 2, keep)
    assert result.exception is None, result.output
    card = json.loads((camvid / "out" / "enet@camvid.json").read_text(), parse_constant=pytest.fail)
    assert card["published_miou"] is None
    assert not list((camvid / "out").glob("*-best*"))
