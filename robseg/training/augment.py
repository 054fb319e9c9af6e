"""Random scale, crop, flip, photometric jitter and corruption of one labelled image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import corruptions
from robseg.datasets.base import IGNORE_INDEX
from robseg.training.recipe import Recipe
from robseg.training.setup import corruption_names

__all__ = ["augment"]

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def augment(
    image: NDArray[np.uint8], target: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator
) -> Pair:
    """Return a new (image, target) of the recipe's crop size.

    Parameters
    ----------
    image, target
        uint8 (H, W, 3) and (H, W), of any size; they are not changed.
    """
    low, high = np.log(recipe.scale)
    factor = float(np.exp(rng.uniform(low, high)))
    image, target = scale_and_crop(image, target, factor, recipe.crop, rng)
    if recipe.flip and rng.random() < 0.5:
        image, target = image[:, ::-1], target[:, ::-1]
    if recipe.jitter > 0:
        brightness, contrast, saturation = rng.uniform(1 - recipe.jitter, 1 + recipe.jitter, 3)
        image = jitter(image, brightness, contrast, saturation)
    if recipe.corruptions and rng.random() < recipe.corruption_rate:
        image, target = corrupt(image, target, recipe, rng)
    return pad(image, target, recipe.crop)


def scale_and_crop(
    image: NDArray[np.uint8],
    target: NDArray[np.uint8],
    factor: float,
    crop: tuple[int, int],
    rng: np.random.Generator,
) -> Pair:
    """Resize by `factor` and cut out a random window of at most `crop`; only this window is computed."""
    height, width = target.shape
    full = max(1, round(height * factor)), max(1, round(width * factor))
    size = min(crop[0], full[0]), min(crop[1], full[1])
    top, left = (int(rng.integers(0, f - s + 1)) for f, s in zip(full, size, strict=True))
    rows, columns = height / full[0], width / full[1]  # source pixels per resized pixel
    # min() keeps rounding from pushing the window past the image's edge, which Pillow refuses.
    box = (
        left * columns,
        top * rows,
        min((left + size[1]) * columns, width),
        min((top + size[0]) * rows, height),
    )
    wanted = (size[1], size[0])
    return (
        np.asarray(Image.fromarray(image).resize(wanted, Image.Resampling.BILINEAR, box)),
        np.asarray(Image.fromarray(target).resize(wanted, Image.Resampling.NEAREST, box)),
    )


def jitter(
    image: NDArray[np.uint8], brightness: float, contrast: float, saturation: float
) -> NDArray[np.uint8]:
    """Multiply brightness, contrast (about the image's mean grey) and saturation (about each pixel's grey).

    Examples
    --------
    >>> jitter(np.full((1, 1, 3), 100, np.uint8), brightness=1.2, contrast=1.5, saturation=0.0)
    array([[[120, 120, 120]]], dtype=uint8)
    """
    values = image.astype(np.float32)
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    values = (values - grey[..., None]) * np.float32(saturation * contrast)
    values += ((grey - grey.mean()) * np.float32(contrast) + grey.mean())[..., None]
    values *= np.float32(brightness)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def corrupt(
    image: NDArray[np.uint8], target: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator
) -> Pair:
    """Apply one of the recipe's corruptions at one of its severities, both drawn uniformly.

    This is the last step before padding, at the size that the network sees, as in an evaluation.
    """
    name = rng.choice(corruption_names(recipe))
    severity = int(rng.choice(recipe.severities))
    key = f"train/{rng.integers(1 << 62)}"
    return corruptions.corrupt_pair(
        np.ascontiguousarray(image),
        np.ascontiguousarray(target),
        str(name),
        severity,
        seed=recipe.seed,
        key=key,
    )


def pad(image: NDArray[np.uint8], target: NDArray[np.uint8], size: tuple[int, int]) -> Pair:
    """Pad to `size` at the bottom and on the right: the image with its mean colour, the target as ignored."""
    height, width = target.shape
    if (height, width) == size:
        return np.ascontiguousarray(image), np.ascontiguousarray(target)
    padded = np.empty((*size, 3), np.uint8)
    padded[:] = np.rint(image.mean(axis=(0, 1))).astype(np.uint8)
    padded[:height, :width] = image
    labels = np.full(size, IGNORE_INDEX, np.uint8)
    labels[:height, :width] = target
    return padded, labels
