import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robseg.evaluation.request import Request
from robseg.evaluation.resolve import ModelSource, models
from robseg.models.model import load_model
from robseg.options import read_toml
from robseg.training.recipe import Recipe
from tests.invoke import invoke

run = partial(invoke, "train")


def test_the_command_trains_and_names_the_weights(camvid: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    small = ("--epochs", 2, "--batch-size", 2, "--crop", 32, 32)
    result = run("--model", "enet", "--dataset", "camvid", "--data-root", camvid, "--out", out, *small)
    assert result.exit_code == 0, result.output
    assert "enet@camvid.safetensors" in result.stdout
    assert "val mIoU" in result.stderr
    assert (out / "enet@camvid.safetensors").exists()
    with Image.open(out / "curve.png") as curve:
        assert curve.size[0] > 400


def test_flags_go_before_the_recipes_fields(camvid: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        f'model = "enet"\ndataset = "camvid"\ndata_root = "{camvid}"\nepochs = 7\nbatch_size = 2\n'
        "crop = [32, 32]\nflip = false\noptions = { generation = 2021 }\n"
    )
    flags = (
        "--epochs",
        1,
        "--option",
        "generation=2018",
        "--severities",
        "1-2",
        "--train-split",
        "train+val",
    )
    result = run(recipe, *flags, "--name", "mine", "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert result.exit_code == 0, result.output
    used = Recipe(**read_toml(tmp_path / "out" / "recipe.toml"))
    assert (used.epochs, used.severities, used.flip, used.crop) == (1, (1, 2), False, (32, 32))
    card = json.loads((tmp_path / "out" / "mine.json").read_text())
    assert card["options"] == {"generation": 2018}
    assert card["trained_on"] == "camvid train+val, 6 images"
    assert "Brostow" in card["citation"]
    assert not (tmp_path / "out" / "cache").exists()


def test_what_is_exported_can_be_loaded(camvid: Path, tmp_path: Path) -> None:
    small = ("--epochs", 1, "--batch-size", 2, "--crop", 64, 64)
    options = ("--option", "backbone=mobilenet_v2", "--option", "channels=8", "--option", "output_stride=16")
    names = ("--model", "pspnet", "--dataset", "camvid", "--data-root", camvid)
    result = run(*names, "--out", tmp_path / "out", *small, *options)
    assert result.exit_code == 0, result.output
    weights = tmp_path / "out" / "pspnet@camvid.safetensors"
    assert models(Request(str(weights))) == (ModelSource("pspnet", weights),)
    model = load_model("pspnet", weights)
    assert model.card.backbone == "mobilenet_v2"
    assert model.card.mean == (123.675, 116.28, 103.53)
    assert model.predict(np.zeros((1, 40, 48, 3), np.uint8)).shape == (1, 40, 48)


def test_minutes_end_it_incomplete(camvid: Path, tmp_path: Path) -> None:
    small = ("--batch-size", 2, "--crop", 32, 32, "--minutes", 1e-6)
    result = run(
        "--model", "enet", "--dataset", "camvid", "--data-root", camvid, "--out", tmp_path / "out", *small
    )
    assert result.exit_code == 3, result.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--model", "enett", "--dataset", "camvid"), "did you mean 'enet'"),
        (("--model", "enet", "--dataset", "camvit"), "did you mean 'camvid'"),
        (("--model", "enet", "--dataset", "camvid", "--train-split", "trian"), "did you mean 'train'"),
        (
            ("--model", "enet", "--dataset", "camvid", "--epochs", "0"),
            "Expected `--epochs` to be a whole number above 0",
        ),
        (("--model", "enet", "--dataset", "camvid", "--crop", "33", "32"), "multiples of 8"),
        (("--dataset", "camvid"), "Missing option '-m' / '--model'"),
        (("enet-camvit",), "did you mean 'enet-camvid'"),
        (("enet-streets", "--option", "generation"), "NAME=VALUE"),
        (("enet-streets", "--option", "backbone=resnet18"), "Unknown option of enet 'backbone'"),
        (("enet-streets", "--severities", "1,x"), "Expected `--severities` to be whole numbers from 1 to 5"),
        (("enet-streets", "--option", "generation=2019"), "(KeyError: 2019)"),
        (("pspnet-streets", "--no-pretrained", "--option", "channels=wide"), "'channels': 'wide'"),
        (("pspnet-streets", "--no-pretrained", "--aux-weights", "0.1,0.2"), "one number or 1 of them"),
        (("icnet-streets", "--no-pretrained", "--aux-weights", "1,1,1"), "one number or 2 of them"),
        (
            ("pspnet-streets", "--no-pretrained", "--batch-size", "1"),
            "a batch of 1 (ValueError: Expected more",
        ),
        (("pspnet-streets", "--no-pretrained", "--train-limit", "9", "--accumulate", "2"), "a batch of 1 ("),
        (("enet-streets", "--task", "offsets"), "Expected `task` to be segmentation for enet"),
        (("--model", "segfix", "--dataset", "streets"), "Expected `task` to be offsets for segfix"),
    ],
)
def test_wrong_names_and_values_are_found_before_anything_is_written(
    tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    result = run(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert expected in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_cache_that_is_a_file_is_refused(camvid: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    names = ("--model", "enet", "--dataset", "camvid", "--data-root", camvid, "--crop", 32, 32)
    result = run(*names, "--out", tmp_path / "out", "--cache", tmp_path / "file")
    assert result.exit_code == 2, result.output
    assert "Expected `cache` to be a folder" in result.stderr


def test_a_device_that_is_not_there_is_refused_before_anything_is_trained(
    camvid: Path, tmp_path: Path
) -> None:
    names = ("--model", "enet", "--dataset", "camvid", "--data-root", camvid)
    result = run(*names, "--out", tmp_path / "out", "--device", "cuda:99")
    assert result.exit_code == 2, result.output
    assert "'cuda:99' is not available here" in result.stderr
    assert not (tmp_path / "out" / "checkpoint.pt").exists()
