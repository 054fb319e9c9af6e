import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from robseg.cli.train import train
from robseg.errors import IncompleteRun, InputError


@pytest.fixture
def camvid(tmp_path):
    """A tiny data set in CamVid's layout."""
    rng = np.random.default_rng(0)
    for folder in ("train", "val"):
        for part, shape, top in ((folder, (40, 48, 3), 256), (f"{folder}annot", (40, 48), 12)):
            (tmp_path / part).mkdir()
            for index in range(3):
                pixels = rng.integers(0, top, shape, dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / f"{index}.png")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(train, [str(a) for a in arguments])


def test_the_command_trains_and_names_the_weights(camvid, tmp_path):
    out = tmp_path / "out"
    small = ("--epochs", 2, "--batch-size", 2, "--crop", 32, 32)
    result = run("--model", "enet", "--dataset", "camvid", "--data-root", camvid, "--out", out, *small)
    assert result.exception is None, result.output
    assert "enet@camvid.safetensors" in result.stdout
    assert "val mIoU" in result.stderr
    assert (out / "enet@camvid.safetensors").exists()


def test_minutes_end_it_incomplete(camvid, tmp_path):
    small = ("--batch-size", 2, "--crop", 32, 32, "--minutes", 1e-6)
    result = run(
        "--model", "enet", "--dataset", "camvid", "--data-root", camvid, "--out", tmp_path / "out", *small
    )
    assert isinstance(result.exception, IncompleteRun)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--model", "enett", "--dataset", "camvid"), "did you mean 'enet'"),
        (("--model", "enet", "--dataset", "camvit"), "did you mean 'camvid'"),
        (("--model", "enet", "--dataset", "camvid", "--train-split", "trian"), "did you mean 'train'"),
        (("--model", "enet", "--dataset", "camvid", "--epochs", "0"), "Expected `epochs`"),
        (("--model", "enet", "--dataset", "camvid", "--crop", "33", "32"), "multiples of 8"),
    ],
)
def test_wrong_names_and_values_are_found_before_anything_is_written(tmp_path, arguments, expected):
    result = run(*arguments, "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert expected in str(result.exception)
    assert not (tmp_path / "out").exists()
