from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from robseg.training.augment import augment, pad, scale_and_crop
from robseg.training.recipe import Recipe

RECIPE = Recipe("enet", "streets", crop=(24, 40))
Pixels = NDArray[np.uint8]


def pair(height: int, width: int, seed: int = 0) -> tuple[Pixels, Pixels]:
    """An image whose red channel holds the target, in blocks of 8 pixels."""
    blocks = np.random.default_rng(seed).integers(0, 11, (height // 8 + 1, width // 8 + 1), dtype=np.uint8)
    target = np.kron(blocks, np.ones((8, 8), np.uint8))[:height, :width]
    return np.dstack([target * 20, np.zeros_like(target), np.zeros_like(target)]), target


@pytest.mark.parametrize("size", [(64, 96), (24, 40), (10, 200), (1, 1), (7, 5)])
def test_any_size_becomes_the_crop(size: tuple[int, int]) -> None:
    for seed in range(20):
        image, target = augment(*pair(*size), RECIPE, np.random.default_rng(seed))
        assert image.shape == (24, 40, 3)
        assert target.shape == (24, 40)
        assert image.dtype == target.dtype == np.uint8


def test_image_and_target_move_together() -> None:
    recipe = Recipe("enet", "streets", crop=(40, 48), jitter=0)
    agreeing = []
    for seed in range(20):
        image, target = augment(*pair(96, 128), recipe, np.random.default_rng(seed))
        agreeing.append(np.mean(np.abs(image[..., 0].astype(int) - target * 20) <= 10))
    # Bilinear against nearest: only pixels at the blocks' borders differ.
    assert min(agreeing) > 0.6
    assert np.mean(agreeing) > 0.75


def test_the_same_generator_gives_the_same_crop() -> None:
    first, again, other = (augment(*pair(64, 96), RECIPE, np.random.default_rng(s))[0] for s in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_any_augmentation_the_sample_stays() -> None:
    recipe = Recipe("enet", "streets", crop=(24, 40), scale=(1, 1), flip=False, jitter=0)
    image, target = pair(24, 40)
    same_image, same_target = augment(image, target, recipe, np.random.default_rng(0))
    assert np.array_equal(image, same_image)
    assert np.array_equal(target, same_target)


def test_half_of_the_samples_are_flipped() -> None:
    recipe = Recipe("enet", "streets", crop=(24, 40), scale=(1, 1), jitter=0)
    image, target = pair(24, 40)
    flipped = [
        np.array_equal(augment(image, target, recipe, np.random.default_rng(s))[1], target[:, ::-1])
        for s in range(200)
    ]
    assert 70 < sum(flipped) < 130


def test_scaling_magnifies() -> None:
    _, target = scale_and_crop(*pair(64, 96), 2.0, (128, 192), np.random.default_rng(0))
    assert np.array_equal(target, np.kron(pair(64, 96)[1], np.ones((2, 2), np.uint8)))


def test_padding_is_ignored_and_of_the_mean_colour() -> None:
    image, target = pad(np.full((2, 3, 3), 9, np.uint8), np.ones((2, 3), np.uint8), (4, 4))
    assert (image == 9).all()
    assert (target[:2, :3] == 1).all()
    assert (target == 255).sum() == 10


def test_the_input_is_never_written_to() -> None:
    image, target = pair(64, 96)
    image.flags.writeable = target.flags.writeable = False
    for seed in range(10):
        augment(image, target, RECIPE, np.random.default_rng(seed))


def corrupted(
    image: Pixels, target: Pixels, seeds: range = range(60), **fields: Any
) -> list[tuple[Pixels, Pixels]]:
    recipe = Recipe("enet", "streets", crop=(64, 80), scale=(1, 1), flip=False, jitter=0, **fields)
    return [augment(image, target, recipe, np.random.default_rng(seed)) for seed in seeds]


def test_the_asked_share_of_samples_is_corrupted_and_their_targets_stay() -> None:
    image, target = pair(64, 80)
    samples = corrupted(image, target, corruptions=("brightness",), corruption_rate=0.25)
    changed = [not np.array_equal(image, found) for found, _ in samples]
    assert 5 < sum(changed) < 26
    assert all(np.array_equal(target, found) for _, found in samples)


def test_targets_move_with_pixels_that_a_corruption_moves() -> None:
    image, target = pair(64, 80)
    samples = corrupted(image, target, range(3), corruptions=("geometric_distortion",), corruption_rate=1.0)
    for found_image, found_target in samples:
        seen = found_target != 255
        agreeing = np.abs(found_image[..., 0].astype(int) - found_target * 20) <= 10
        assert not np.array_equal(found_target, target)
        assert agreeing[seen].mean() > 0.6


def test_groups_and_severities_are_drawn_from() -> None:
    image, target = pair(64, 80)
    image = np.full_like(image, 128)
    few, many = (
        {found.tobytes() for found, _ in corrupted(image, target, **fields, corruption_rate=1.0)}
        for fields in (
            {"corruptions": ("brightness",), "severities": (1, 3)},
            {"corruptions": ("brightness", "contrast", "noise")},
        )
    )
    assert len(few) == 2
    assert len(many) > 20
