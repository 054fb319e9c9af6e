"""Photographs and noise as tiling textures, sampled at a resolution that fits the distance."""

import dataclasses
import functools
import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from robseg.datasets.streets.camera import Array
from robseg.errors import InputError

__all__ = ["Texture", "fractal", "photograph", "scatter"]

SIZE = 512


@dataclasses.dataclass(frozen=True)
class Texture:
    """A square tiling texture of mean 1, with all its halved versions one after another in `texels`."""

    texels: Array
    starts: Array
    sizes: Array

    def sample(self, u: Array, v: Array, tile: float, footprint: Array | float) -> Array:
        """Return the texture at (u, v); `tile` is the side of a tile and `footprint` the width of a sample.

        All are in metres.
        """
        blur = np.log2(np.maximum(np.asarray(footprint) * (SIZE / tile), 1.0))
        level = np.minimum(blur.astype(np.intp), len(self.sizes) - 1)
        size = self.sizes[level]
        column = np.floor(u * (size / tile)).astype(np.int32) & (size - 1)
        row = np.floor(v * (size / tile)).astype(np.int32) & (size - 1)
        values: Array = self.texels[self.starts[level] + row * size + column]
        return values


def _pyramid(texels: Array) -> Texture:
    """Return the texture of (SIZE, SIZE) texels with all its halved versions down to one texel."""
    levels = [(texels / texels.mean()).astype(np.float32)]
    while levels[-1].shape[0] > 1:
        half = levels[-1].shape[0] // 2
        levels.append(levels[-1].reshape(half, 2, half, 2).mean((1, 3)))
    sizes = np.array([level.shape[0] for level in levels], np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes.astype(np.int64) ** 2)[:-1]]).astype(np.int32)
    return Texture(np.concatenate([level.ravel() for level in levels]), starts, sizes)


@functools.cache
def photograph(name: str) -> Texture:
    """Return one of the photographs in scikit-image: "brick", "grass" or "gravel".

    Gradual changes of brightness are removed, so that the tiles are not visible.

    Raises
    ------
    InputError
        If scikit-image lacks the file. Without it, scenes would look different.
    """
    spec = importlib.util.find_spec("skimage")
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [Path(folder) / "data" / f"{name}.png" for folder in folders]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise InputError(
            f"Expected the photograph {name}.png in scikit-image's folder `data`, but it is not there: "
            "reinstall scikit-image (`pip install --force-reinstall scikit-image`)."
        )
    with Image.open(found, formats=("PNG",)) as photo:
        grey = np.asarray(photo.convert("L").resize((SIZE, SIZE)), np.float32) + 1.0
    return _pyramid(grey / ndimage.gaussian_filter(grey, 60, mode="wrap"))


@functools.cache
def fractal(seed: int, coarsest: int = 4, falloff: float = 0.6) -> Texture:
    """Return tiling noise of mean 1 and standard deviation 0.25.

    Its scales start at `coarsest` cells per tile (a power of 2); each finer scale has `falloff` times the
    weight of the one before.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    total = np.zeros((SIZE, SIZE), np.float32)
    cells, weight = coarsest, 1.0
    while cells <= SIZE:
        grid = rng.random((cells, cells), dtype=np.float32) - 0.5
        total += weight * ndimage.zoom(grid, SIZE // cells, order=1, mode="grid-wrap", grid_mode=True)
        cells, weight = cells * 2, weight * falloff
    return _pyramid(1.0 + 0.25 * (total - total.mean()) / total.std())


@functools.cache
def _dice() -> Array:
    """Return a fixed table of 256 x 256 numbers in 0..1."""
    return np.random.Generator(np.random.Philox(key=99)).random((256, 256), dtype=np.float32)


def scatter(i: Array, j: Array | int, salt: int) -> Array:
    """Return a fixed pseudo-random number in 0..1 for each pair of integers, such as a window's position."""
    row = (np.asarray(i).astype(np.int32) * 7 + salt * 31) & 255
    column = (np.asarray(j).astype(np.int32) * 13 + salt * 57) & 255
    values: Array = _dice()[row, column]
    return values
