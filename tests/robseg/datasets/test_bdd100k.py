from collections.abc import Callable
from pathlib import Path

import pytest

from robseg.datasets import DATASETS, open_dataset
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

Tree = Callable[[str], Path]
Save = Callable[..., None]


def test_masks_hold_the_train_ids_of_cityscapes(tree: Tree, target: Save) -> None:
    root = tree("bdd100k")
    assert DATASETS["bdd100k"].class_names == DATASETS["cityscapes"].class_names
    target(root / "labels/sem_seg/masks/val/7d06fefd-f7be05a6.png", *range(19), 255)
    read = open_dataset("bdd100k", root).read(0).target.ravel()
    assert read[:20].tolist() == [*range(19), IGNORE_INDEX]
    target(root / "labels/sem_seg/masks/val/7d06fefd-f7be05a6.png", 19)
    with pytest.raises(InputError, match=r"values 0-18, 255 in .*, but got 19"):
        open_dataset("bdd100k", root).read(0)


def test_the_older_layout_is_read_too(tmp_path: Path, image: Save, target: Save) -> None:
    image(tmp_path / "bdd100k/seg/images/val/a.jpg")
    target(tmp_path / "bdd100k/seg/labels/val/a_train_id.png", 18)
    dataset = open_dataset("bdd100k", tmp_path)
    assert dataset.ids == ("a",)
    assert (dataset.read(0).target == 18).all()


def test_colour_maps_in_the_place_of_masks_are_refused(tree: Tree, image: Save) -> None:
    root = tree("bdd100k")
    image(root / "labels/sem_seg/masks/val/7d06fefd-f7be05a6.png", "RGBA")
    with pytest.raises(InputError, match=r"single-channel target .*7d06fefd-f7be05a6.png"):
        open_dataset("bdd100k", root).read(0)


def test_a_mask_without_an_image_is_named(tree: Tree, target: Save) -> None:
    root = tree("bdd100k")
    target(root / "labels/sem_seg/masks/val/x.png")
    with pytest.raises(InputError, match=r"an image for every target, but '.*/masks/val/x.png'"):
        open_dataset("bdd100k", root)
