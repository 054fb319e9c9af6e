"""Training on described folders: data to validate on of their own."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from robseg.cli.commands.train import command as train
from robseg.errors import InputError

# The folders of CamVid's layout, whose targets hold 0 to 11.
DESCRIPTION = """
name = "yard"
images = "{part}"
targets = "{part}annot"
classes = [{classes}]
"""


def describe(root: Path, part: str, classes: str) -> None:
    listed = ", ".join(f'{{name = "{name}", id = {id_}}}' for id_, name in enumerate(classes))
    (root / f"{part}.toml").write_text(DESCRIPTION.format(part=part, classes=listed))


@pytest.fixture
def yard(camvid: Path) -> Path:
    for part in ("train", "val"):
        describe(camvid, part, "abcdefghijkl")
    return camvid


def run(yard: Path, *arguments: object) -> dict[str, Any]:
    data = ("--dataset", "folder", "--data-root", yard / "train.toml")
    names = ("--model", "enet", *data, "--out", yard / "out")
    small = ("--train-split", "all", "--val-split", "all", "--epochs", 1, "--batch-size", 2, "--crop", 32, 32)
    result = CliRunner().invoke(train, [str(a) for a in (*names, *small, *arguments)])
    if result.exception is not None:
        raise result.exception
    return json.loads((yard / "out" / "enet@yard.json").read_text())


def test_validation_may_have_a_folder_of_its_own(yard: Path) -> None:
    card = run(yard, "--val-root", yard / "val.toml")
    assert card["trained_on"] == "yard all, 3 images"
    assert card["published_protocol"] == "all, whole images at their own size"
    assert "val_root" not in card["source"]  # a local path is useless on other machines


def test_a_card_says_that_it_was_validated_on_what_was_trained_on(yard: Path) -> None:
    assert run(yard)["published_protocol"].endswith("; it was also trained on these images")


def test_other_classes_to_validate_on_are_refused_before_anything_is_written(yard: Path) -> None:
    describe(yard, "val", "abcdefghijkz")
    with pytest.raises(
        InputError, match=r"classes that are trained, a, .*, l, but '.*val.toml' has a, .*, z:"
    ):
        run(yard, "--val-root", yard / "val.toml")
    assert not (yard / "out").exists()
