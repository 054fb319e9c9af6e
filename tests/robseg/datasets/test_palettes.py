"""An index of a palette target is a class, so its colour must be the same in all targets of a set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robseg.datasets import open_dataset

Tree = Callable[[str], Path]
BLACK, RED, GREEN, BLUE = (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
BY_COLOUR = """
name = "yard"
images = "photos"
targets = "masks"
classes = [{name = "grass", color = [0, 255, 0]}, {name = "path", color = [255, 0, 0]}]
"""


def save(path: Path, index: int, *palette: tuple[int, int, int]) -> None:
    target = Image.fromarray(np.full((4, 6), index, np.uint8)).convert("P")
    target.putpalette([channel for colour in palette for channel in colour])
    target.save(path)


@pytest.fixture
def root(tree: Tree) -> Path:
    """A folder with targets of ids 3 and 5, north/1.png and south/1.png."""
    return tree("folder")


def test_palettes_that_differ_are_named_once(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(root / "masks/north/1.png", 3, BLACK, RED, GREEN, BLUE)
    save(root / "masks/south/1.png", 3, BLACK, GREEN, RED, BLUE)
    dataset = open_dataset("folder", root)
    for index in range(2):
        dataset.read(index)
    [said] = caplog.messages
    assert all(name in said for name in ("palettes", "north/1.png", "south/1.png"))
    open_dataset("folder", root)
    assert caplog.messages == [said, said]


@pytest.mark.parametrize("palette", [(BLACK, RED, GREEN, BLUE), (BLACK, RED, GREEN, BLUE, BLUE, BLACK)])
def test_a_palette_may_be_longer_than_another(
    root: Path, palette: tuple[tuple[int, int, int], ...], caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "masks/north/1.png", 3, BLACK, RED, GREEN, BLUE)
    save(root / "masks/south/1.png", 3, *palette)
    open_dataset("folder", root)
    assert not caplog.messages


def test_short_palettes_that_differ_are_told_from_each_other(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "masks/north/1.png", 0, RED)
    save(root / "masks/south/1.png", 0, GREEN, RED)
    open_dataset("folder", root)
    assert "palettes" in caplog.text


def test_a_grey_target_beside_palette_targets_is_no_difference(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "masks/north/1.png", 3, BLACK, RED, GREEN, BLUE)
    open_dataset("folder", root)
    assert not caplog.messages


def test_colours_are_read_through_the_palette_of_each_target(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "dataset.toml").write_text(BY_COLOUR)
    save(root / "masks/north/1.png", 1, RED, GREEN)
    save(root / "masks/south/1.png", 1, GREEN, RED)
    dataset = open_dataset("folder", root)
    assert [dataset.read(index).target[0, 0] for index in range(2)] == [0, 1]
    assert not caplog.messages
