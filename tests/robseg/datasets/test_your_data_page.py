"""The descriptions in docs/your-data.md work for the layouts that they are for."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from robseg.datasets import open_dataset

Save = Callable[..., None]
PAGE = (Path(__file__).parents[3] / "docs" / "your-data.md").read_text(encoding="utf-8")
DESCRIPTIONS = {
    tomllib.loads(block)["name"]: block for block in re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
}


def save_colours(path: Path, *colours: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.resize(np.array(colours, np.uint8), (4, 6, 3))).save(path)


@pytest.fixture
def describe(tmp_path: Path) -> Callable[[str], Path]:
    """Write a description of the page, and return the folder that holds it."""

    def write(name: str) -> Path:
        (tmp_path / "dataset.toml").write_text(DESCRIPTIONS[name], encoding="utf-8")
        return tmp_path

    return write


def test_the_page_describes_three_layouts() -> None:
    assert set(DESCRIPTIONS) == {"dubai", "uavid", "fruit"}
    for description in DESCRIPTIONS.values():
        keys = [line.split(" = ")[0] for line in description.splitlines()[:3]]
        assert keys == ["name", "images", "targets"]


def test_tiles_with_folders_of_their_own(describe: Callable[[str], Path], image: Save) -> None:
    root = describe("dubai")
    for tile in (1, 2):
        image(root / f"Tile {tile}/images/image_part_001.jpg")
        save_colours(root / f"Tile {tile}/masks/image_part_001.png", (60, 16, 152), (155, 155, 155))
    (root / "classes.json").touch()
    dataset = open_dataset("folder", root)
    assert dataset.ids == ("1/image_part_001", "2/image_part_001")
    assert dataset.read(1).target[0].tolist() == [0, 255] * 3


def test_sequences_with_folders_of_their_own(describe: Callable[[str], Path], image: Save) -> None:
    root = describe("uavid")
    for sequence in ("uavid_train/seq1", "uavid_val/seq16", "uavid_val/seq17"):
        image(root / sequence / "Images/000000.png")
        save_colours(root / sequence / "Labels/000000.png", (0, 0, 0), (64, 0, 128))
    image(root / "uavid_test/seq21/Images/000000.png")
    dataset = open_dataset("folder", root, "val")
    assert dataset.ids == ("16/000000", "17/000000")
    assert dataset.read(0).target[0].tolist() == [0, 7] * 3


def test_targets_beside_their_images(
    describe: Callable[[str], Path], image: Save, target: Save, caplog: pytest.LogCaptureFixture
) -> None:
    root = describe("fruit")
    for name in ("train/a_jpg.rf.0f", "valid/b_jpg.rf.1e", "valid/c_jpg.rf.2d"):
        image(root / f"{name}.jpg")
        target(root / f"{name}_mask.png", 0, 2)
        (root / name).with_name("_classes.csv").touch()
    dataset = open_dataset("folder", root, "valid")
    assert dataset.ids == ("b_jpg.rf.1e", "c_jpg.rf.2d")
    assert dataset.read(0).target[0].tolist() == [0, 2] * 3
    [said] = caplog.messages
    assert "leaves out 1 files in its folders (1 .csv)" in said


def test_the_python_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    assert list(names["results"].scores["corruption"]) == ["clean", "fog", "snow"]
