"""Training on described folders: data to validate on of their own."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from robseg.cli.train import train
from robseg.errors import InputError

DESCRIPTION = """
name = "yard"
images = "{part}"
targets = "{part}-masks"
classes = [{{name = "grass", id = 0}}, {{name = "{other}", id = 1}}]
"""


@pytest.fixture
def yard(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train", "val"):
        for folder, shape, top in ((part, (32, 32, 3), 256), (f"{part}-masks", (32, 32), 2)):
            (tmp_path / folder).mkdir()
            for index in range(2):
                pixels = rng.integers(0, top, shape, dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / folder / f"{index}.png")
        (tmp_path / f"{part}.toml").write_text(DESCRIPTION.format(part=part, other="path"))
    return tmp_path


def run(yard, *arguments):
    names = (
        "--model",
        "enet",
        "--dataset",
        "folder",
        "--data-root",
        yard / "train.toml",
        "--out",
        yard / "out",
    )
    small = ("--train-split", "all", "--val-split", "all", "--epochs", 1, "--batch-size", 2, "--crop", 32, 32)
    result = CliRunner().invoke(train, [str(a) for a in (*names, *small, *arguments)])
    if result.exception is not None:
        raise result.exception
    return json.loads((yard / "out" / "enet@yard.json").read_text())


def test_validation_may_have_a_folder_of_its_own(yard):
    card = run(yard, "--val-root", yard / "val.toml")
    assert card["trained_on"] == "yard all, 2 images"
    assert card["published_protocol"] == "all, whole images at their own size"
    assert "val_root" not in card["source"]  # a path says nothing elsewhere


def test_a_card_says_that_it_was_validated_on_what_was_trained_on(yard):
    assert run(yard)["published_protocol"].endswith("; on these images it was trained")


def test_other_classes_to_validate_on_are_refused_before_anything_is_written(yard):
    (yard / "val.toml").write_text(DESCRIPTION.format(part="val", other="pond"))
    with pytest.raises(
        InputError, match=r"classes that are trained, grass, path, but '.*val.toml' has grass, pond"
    ):
        run(yard, "--val-root", yard / "val.toml")
    assert not (yard / "out").exists()
