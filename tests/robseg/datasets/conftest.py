"""Tiny trees of every data set in files, each in its own layout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HEIGHT, WIDTH = 4, 6


def save_image(path: Path, mode: str = "RGB") -> None:
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


def save_target(path: Path, *values: int) -> None:
    """Save a single-channel target that repeats the values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.resize(np.array(values or (0,), np.uint8), (HEIGHT, WIDTH))
    Image.fromarray(pixels).save(path)


def camvid(root: Path) -> None:
    for split in ("train", "val", "test"):
        for frame in ("a", "b"):
            save_image(root / split / f"{split}_{frame}.png")
            save_target(root / f"{split}annot" / f"{split}_{frame}.png", 0, 10, 11)


def cityscapes(root: Path) -> None:
    for split in ("train", "val"):
        for name in ("ulm/ulm_000001_000019", "aachen/aachen_000000_000019"):
            save_image(root / "leftImg8bit" / split / f"{name}_leftImg8bit.png")
            save_target(root / "gtFine" / split / f"{name}_gtFine_labelIds.png", 0, 7, 33)
            save_image(root / "gtFine" / split / f"{name}_gtFine_color.png")


def voc2012(root: Path) -> None:
    inner = root / "VOCdevkit" / "VOC2012"
    for name in ("2007_000033", "2007_000042", "2008_000001"):
        save_image(inner / "JPEGImages" / f"{name}.jpg")
        save_target(inner / "SegmentationClass" / f"{name}.png", 0, 20, 255)
    lists = inner / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2008_000001\n")
    (lists / "val.txt").write_text("2007_000042\n2007_000033\n")
    (lists / "trainval.txt").write_text("2008_000001\n2007_000042\n2007_000033\n")


def ade20k(root: Path) -> None:
    for folder, split in (("training", "train"), ("validation", "val")):
        for number in (1, 2):
            name = f"ADE_{split}_{number:08}"
            save_image(root / "ADEChallengeData2016/images" / folder / f"{name}.jpg")
            save_target(root / "ADEChallengeData2016/annotations" / folder / f"{name}.png", 0, 1, 150)


def bdd100k(root: Path) -> None:
    for split in ("train", "val"):
        for name in ("7d06fefd-f7be05a6", "7d15b18b-1e0d6e3f"):
            save_image(root / "images/10k" / split / f"{name}.jpg")
            save_target(root / "labels/sem_seg/masks" / split / f"{name}.png", 0, 18, 255)


def folder(root: Path) -> None:
    for name in ("north/1", "south/1"):
        save_image(root / "photos" / f"{name}.jpg")
        save_target(root / "masks" / f"{name}.png", 3, 5, 0)
    (root / "dataset.toml").write_text(
        'name = "yard"\nimages = "photos"\ntargets = "masks"\nignore = [0]\n'
        'classes = [{name = "grass", id = 3}, {name = "path", id = 5, color = [9, 8, 7]}]\n'
    )


TREES = {make.__name__: make for make in (camvid, cityscapes, voc2012, ade20k, bdd100k, folder)}


@pytest.fixture
def image() -> Callable[..., None]:
    return save_image


@pytest.fixture
def target() -> Callable[..., None]:
    return save_target


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], Path]:
    """Make a data set's tree by name and return its root."""

    def make(name: str) -> Path:
        root = tmp_path / name
        root.mkdir()
        TREES[name](root)
        return root

    return make
