"""Elastic transform: the reference's draws give its pixels; borders are mirrored however far pixels move."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import corruptions
from corruptions.kernels import elastic
from corruptions.kernels.random import stream
from tests.corruptions.deviations import pair

PARAMETERS = corruptions.get("elastic_transform").parameters


def texture(height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(3).normal(size=(height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (2, 2, 0), mode="wrap")
    image: NDArray[np.uint8] = np.clip(120 + 400 * smooth, 0, 255).astype(np.uint8)
    return image


@pytest.mark.parametrize("size", [(33, 500), (500, 33), (64, 64), (97, 131), (200, 320), (360, 480)])
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_the_references_draws_give_its_elastic_transform(severity: int, size: tuple[int, int]) -> None:
    ours, theirs = pair(texture(*size), "elastic_transform", severity)
    difference = ours.astype(int) - theirs
    assert np.abs(difference).max() <= 1
    assert (difference != 0).mean() < 0.005
    assert abs(difference.mean()) <= 0.01


def test_the_targets_field_is_the_images() -> None:
    image = texture(64, 90)
    draws = stream("1", 5, "elastic_transform", 4, "street")
    field = elastic.elastic_displacement(64, 90, **PARAMETERS[3], stream=draws)
    ours = elastic.elastic_transform(image, **PARAMETERS[3], stream=draws).astype(float)
    for channel in range(3):
        level = ndimage.map_coordinates(image[..., channel].astype(float), field, order=1, mode="reflect")
        assert np.abs(ours[..., channel] - np.floor(level)).max() <= 1


def test_a_uniform_image_stays_as_it_is() -> None:
    for level in (0, 77, 255):
        image = np.full((40, 60, 3), level, np.uint8)
        assert (corruptions.corrupt(image, "elastic_transform", 5) == level).all()
