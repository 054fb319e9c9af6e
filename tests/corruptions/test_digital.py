"""The deterministic digital corruptions against the reference, on photographs."""

from pathlib import Path

import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image

import corruptions
from corruptions import reference
from corruptions.kernels.pixelate import _axis

SIZES = [(33, 500), (500, 33), (97, 131), (200, 320), (360, 480), (64, 64)]
PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


def photograph(height: int, width: int) -> NDArray[np.uint8]:
    scene = Image.open(PHOTOGRAPHS / "coffee.png").convert("RGB").resize((width, height))
    noise = np.random.default_rng(1).normal(0, 2, (height, width, 3))
    noisy: NDArray[np.uint8] = np.clip(np.rint(np.asarray(scene) + noise), 0, 255).astype(np.uint8)
    return noisy


def expected(image: NDArray[np.uint8], name: str, severity: int) -> NDArray[np.uint8]:
    return reference.corrupt(image, name, severity, np.random.RandomState(0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", ["brightness", "saturate", "contrast"])
def test_colours_are_exactly_those_of_the_reference(name: str, severity: int, size: tuple[int, int]) -> None:
    image = photograph(*size)
    assert (corruptions.corrupt(image, name, severity) == expected(image, name, severity)).all()


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", ["brightness", "saturate"])
def test_every_hue_and_grey_keeps_its_float_fuzz(name: str, severity: int) -> None:
    levels = np.array([0, 1, 2, 5, 50, 51, 85, 102, 127, 128, 170, 204, 254, 255], np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(49, 56, 3)
    assert (corruptions.corrupt(colours, name, severity) == expected(colours, name, severity)).all()


def test_contrast_leaves_a_uniform_image_within_a_level() -> None:
    for level in (0, 1, 128, 200, 255):
        image = np.full((40, 50, 3), level, np.uint8)
        for severity in (1, 2, 3, 4, 5):
            flat = corruptions.corrupt(image, "contrast", severity)
            assert np.abs(flat.astype(int) - level).max() <= 1


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_pixelate_is_exactly_pillows_resize(severity: int) -> None:
    for size in [(33, 500), (97, 131), (200, 320), (66, 33)]:
        image = photograph(*size)
        assert (
            corruptions.corrupt(image, "pixelate", severity) == expected(image, "pixelate", severity)
        ).all()


def test_pixelate_of_a_high_image_is_within_a_level_and_unbiased() -> None:
    image = photograph(500, 33)
    for severity in (1, 2, 3, 4, 5):
        difference = corruptions.corrupt(image, "pixelate", severity).astype(int)
        difference -= expected(image, "pixelate", severity)
        assert np.abs(difference).max() <= 1
        assert abs(difference.mean()) <= 0.01


def test_pixelate_repeats_the_boxes_that_pillow_repeats() -> None:
    for side in range(32, 1500, 7):
        for size in (0.6, 0.5, 0.4, 0.3, 0.25):
            axis = _axis(side, size)
            boxes = Image.fromarray(np.arange(len(axis.starts), dtype=np.int32)[np.newaxis])
            repeated = np.asarray(boxes.resize((side, 1), Image.Resampling.NEAREST))[0]
            assert (axis.boxes == repeated).all(), side
