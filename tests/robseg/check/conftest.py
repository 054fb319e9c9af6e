"""Small described folders with a fault each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIZE = (8, 12)  # height, width


def save(path: Path, pixels: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


@pytest.fixture
def photo() -> Callable[..., Path]:
    """Save noise as an image."""

    def make(path: Path, size: tuple[int, int] = SIZE) -> Path:
        return save(path, np.random.default_rng(0).integers(0, 256, (*size, 3)))

    return make


@pytest.fixture
def mask() -> Callable[..., Path]:
    """Save a target of which the first row has the values after the first, and the rest the first."""

    def make(path: Path, *values: object, size: tuple[int, int] = SIZE) -> Path:
        first = np.asarray(values[0])
        pixels = np.zeros((*size, *first.shape), np.uint8) + first.astype(np.uint8)
        for column, value in enumerate(values[1:]):
            pixels[0, column] = value
        return save(path, pixels)

    return make


@pytest.fixture
def yard(tmp_path: Path, photo: Callable[..., Path], mask: Callable[..., Path]) -> Path:
    """Seven images of the classes grass (0) and road (1) without a fault."""
    for name in "abcdefg":
        photo(tmp_path / f"images/{name}.png")
        mask(tmp_path / f"masks/{name}.png", 0, 1, 255)
    (tmp_path / "dataset.toml").write_text(
        'name = "yard"\nimages = "images"\ntargets = "masks"\nignore = [255]\n'
        '[[classes]]\nname = "grass"\nid = 0\n[[classes]]\nname = "road"\nid = 1\n'
    )
    return tmp_path
