"""Rendered street scenes, which need no download: any number, at any size, reproducible and labelled exactly.

The eleven classes, their order and their colours are CamVid's. As in CamVid, hedges and lawns count as trees,
and traffic lights as signs. A scene is a function of (RENDERER_VERSION, seed, split, index); a larger image
shows the same scene more sharply. Scores on these scenes tell how a model degrades, not how good it is on
real streets.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np

from robseg.datasets.base import Dataset, DatasetCard, Sample
from robseg.datasets.camvid import CLASS_NAMES, PALETTE
from robseg.datasets.streets.compose import compose
from robseg.errors import InputError

__all__ = ["CARD", "CLASS_NAMES", "PALETTE", "RENDERER_VERSION", "SPLITS", "dataset", "render"]

RENDERER_VERSION = "1"
"""This version changes whenever a pixel of any scene changes."""

SPLITS = {"train": 2000, "val": 60, "test": 100}
"""The splits, with their default number of images."""

STREAMS = ("scene", "ground", "sky", "look", "grain")
SMALLEST = 16


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16).digest()


def _generator(*parts: object) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=int.from_bytes(_digest(*parts), "little")))


def _check(split: str, height: int, width: int) -> None:
    if split not in SPLITS:
        raise InputError(f"Expected `split` to be one of {', '.join(SPLITS)}, but got '{split}': choose one.")
    if min(height, width) < SMALLEST:
        raise InputError(
            f"Expected an image of at least {SMALLEST}x{SMALLEST} pixels, but got {height}x{width}: "
            "ask for a larger one."
        )


def render(seed: int, split: str, index: int, height: int = 256, width: int = 512) -> Sample:
    """Return scene `index` of a split: an image uint8 (height, width, 3) and a target uint8 (height, width).

    Examples
    --------
    >>> sample = render(0, "val", 3, height=64, width=96)
    >>> sample.id, sample.image.shape, sample.target.shape
    ('val-00003', (64, 96, 3), (64, 96))
    """
    _check(split, height, width)
    if index < 0:
        raise InputError(f"Expected `index` to be 0 or more, but got {index}: count from 0.")
    streams = {name: _generator("streets", RENDERER_VERSION, seed, split, index, name) for name in STREAMS}
    image, target = compose(streams, height, width)
    return Sample(_name(split, index), image, target)


def _name(split: str, index: int) -> str:
    return f"{split}-{index:05d}"


def _read(index: int, *, seed: int, split: str, height: int, width: int) -> Sample:
    return render(seed, split, index, height, width)


def dataset(
    split: str = "val", number: int | None = None, size: tuple[int, int] = (256, 512), seed: int = 0
) -> Dataset:
    """Return the first `number` scenes of a split (None: the number in SPLITS) at `size` = (height, width).

    Examples
    --------
    >>> scenes = dataset("test", number=2, size=(64, 96))
    >>> scenes.ids, scenes.num_classes
    (('test-00000', 'test-00001'), 11)
    """
    height, width = size
    _check(split, height, width)
    number = SPLITS[split] if number is None else number
    if number < 1:
        raise InputError(f"Expected `number` to be 1 or more, but got {number}: ask for at least one scene.")
    return Dataset(
        name="streets",
        split=split,
        class_names=CLASS_NAMES,
        palette=PALETTE,
        ids=tuple(_name(split, index) for index in range(number)),
        read=functools.partial(_read, seed=seed, split=split, height=height, width=width),
        fingerprint=_digest("streets", RENDERER_VERSION, seed, split, height, width).hex(),
        threadsafe=True,
    )


def _open(_root: Path | None, split: str) -> Dataset:
    return dataset(split)


CARD = DatasetCard(
    name="streets",
    title="Rendered street scenes with CamVid's classes",
    class_names=CLASS_NAMES,
    palette=PALETTE,
    splits=tuple(SPLITS),
    default_split="val",
    open=_open,
    needs_root=False,
    licence="Apache-2.0",
)
