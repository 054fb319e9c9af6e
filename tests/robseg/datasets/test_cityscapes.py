import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from robseg.datasets import open_dataset
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

Tree = Callable[[str], Path]
Save = Callable[..., None]
FRAME = "aachen/aachen_000000_000019"
NOT_EVALUATED = (*range(7), 9, 10, 14, 15, 16, 18, 29, 30)


def test_label_ids_become_train_ids(tree: Tree, target: Save) -> None:
    root = tree("cityscapes")
    evaluated = [value for value in range(34) if value not in NOT_EVALUATED]
    file = root / "gtFine/val" / f"{FRAME}_gtFine_labelIds.png"
    target(file, *evaluated)
    assert open_dataset("cityscapes", root).read(0).target.ravel()[:19].tolist() == [*range(19)]
    target(file, *NOT_EVALUATED)
    assert (open_dataset("cityscapes", root).read(0).target == IGNORE_INDEX).all()


def test_ids_name_city_and_frame(tree: Tree) -> None:
    assert open_dataset("cityscapes", tree("cityscapes")).ids == (FRAME, "ulm/ulm_000001_000019")


def test_train_ids_are_taken_where_there_are_no_label_ids(
    tree: Tree, target: Save, caplog: pytest.LogCaptureFixture
) -> None:
    root = tree("cityscapes")
    label_ids = [file for file in root.rglob("*_labelIds.png") if file.parent.parent.name == "val"]
    for file in label_ids:
        target(file, 7, 33, 0)
        target(file.with_name(file.name.replace("labelIds", "labelTrainIds")), 0, 18, 255)
    with_both = open_dataset("cityscapes", root)
    expected = with_both.read(0).target.tolist()
    for file in label_ids:
        file.unlink()
    with caplog.at_level(logging.INFO, "robseg"):
        dataset = open_dataset("cityscapes", root)
    [said] = caplog.messages
    assert "_gtFine_labelTrainIds.png" in said
    assert dataset.ids == with_both.ids
    assert dataset.read(0).target.tolist() == expected
    assert dataset.fingerprint != with_both.fingerprint
    target(root / "gtFine/val" / f"{FRAME}_gtFine_labelTrainIds.png", 19)
    with pytest.raises(InputError, match=r"values 0-18, 255 in .*, but got 19"):
        dataset.read(0)


def test_train_ids_in_place_of_some_label_ids_are_missing_targets(tree: Tree) -> None:
    root = tree("cityscapes")
    file = root / "gtFine/val" / f"{FRAME}_gtFine_labelIds.png"
    file.rename(file.with_name("aachen_000000_000019_gtFine_labelTrainIds.png"))
    with pytest.raises(InputError, match=rf"add '.*/gtFine/val/{FRAME}_gtFine_labelIds.png'"):
        open_dataset("cityscapes", root)


def test_a_target_in_another_city_is_named(tree: Tree, target: Save) -> None:
    root = tree("cityscapes")
    target(root / "gtFine/val/bonn/bonn_000000_000019_gtFine_labelIds.png")
    with pytest.raises(InputError, match=r"an image for every target, but '.*/bonn_000000_000019_gtFine"):
        open_dataset("cityscapes", root)


def test_a_label_id_that_does_not_exist_is_refused(tree: Tree, target: Save) -> None:
    root = tree("cityscapes")
    target(root / "gtFine/val" / f"{FRAME}_gtFine_labelIds.png", 34)
    with pytest.raises(InputError, match=r"values 0-33, 255 in .*, but got 34"):
        open_dataset("cityscapes", root).read(0)
