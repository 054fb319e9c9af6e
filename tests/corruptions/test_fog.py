"""Fog: the reference's own draws give its pixels, and our draws its law."""

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions
from corruptions import reference
from corruptions.kernels import fog
from corruptions.kernels.random import Stream

SIZES = [(33, 500), (500, 33), (64, 64), (97, 131), (200, 320), (360, 480)]


def scene(height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(2)
    slope = np.linspace(20, 200, width)[:, np.newaxis] + rng.normal(0, 10, (height, width, 3))
    return np.clip(slope, 0, 255).astype(np.uint8)


def drawn_by_the_reference(height: int, width: int, rng: np.random.RandomState) -> NDArray[np.float32]:
    """Its uniform draws as numbers from 0 to 1; it scales them itself, level by level."""
    return rng.uniform(size=fog._side(height, width) ** 2 - 1).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_the_references_draws_give_its_fog(
    severity: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(*size)
    draws = drawn_by_the_reference(*size, np.random.RandomState(severity))

    def fill(field: NDArray[np.float32], _: Stream, first: int) -> None:
        field.reshape(-1)[:] = draws[first : first + field.size]

    monkeypatch.setattr(fog, "fill_uniforms", fill)
    ours = corruptions.corrupt(image, "fog", severity).astype(int)
    theirs = reference.corrupt(image, "fog", severity, np.random.RandomState(severity))
    assert np.abs(ours - theirs).max() <= 1
    assert (ours != theirs).mean() < 0.001


def test_the_map_covers_the_image_and_has_a_side_that_is_a_power_of_two() -> None:
    for size, side in [((1, 1), 1), ((32, 32), 32), ((33, 32), 64), ((100, 513), 1024)]:
        assert fog._side(*size) == side


def test_a_black_image_stays_black() -> None:
    black = np.zeros((40, 50, 3), np.uint8)
    assert (corruptions.corrupt(black, "fog", 5) == 0).all()


def test_the_brightest_level_stays_the_brightest() -> None:
    image = np.full((64, 64, 3), 180, np.uint8)
    for severity in (1, 3, 5):
        foggy = corruptions.corrupt(image, "fog", severity)
        assert foggy.max() in (179, 180)
        assert foggy.min() < 140
