from collections.abc import Callable
from pathlib import Path

import pytest

from robseg.datasets import DATASETS, open_dataset
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

Tree = Callable[[str], Path]
Save = Callable[..., None]


def test_label_zero_is_ignored_and_the_others_start_at_one(tree: Tree, target: Save) -> None:
    root = tree("ade20k")
    file = root / "ADEChallengeData2016/annotations/validation/ADE_val_00000001.png"
    target(file, 0, 1, 2, 149, 150)
    assert open_dataset("ade20k", root).read(0).target.ravel()[:5].tolist() == [IGNORE_INDEX, 0, 1, 148, 149]
    target(file, 151)
    with pytest.raises(InputError, match=r"values 0-150 in .*, but got 151"):
        open_dataset("ade20k", root).read(0)


def test_the_root_may_be_the_inner_folder(tree: Tree) -> None:
    root = tree("ade20k")
    assert open_dataset("ade20k", root / "ADEChallengeData2016").ids == (
        "ADE_val_00000001",
        "ADE_val_00000002",
    )


def test_classes_stand_where_the_challenge_has_them() -> None:
    names = DATASETS["ade20k"].class_names
    assert len(names) == 150
    numbered = {1: "wall", 13: "person", 21: "car", 51: "refrigerator", 101: "poster", 137: "traffic light"}
    assert {number: names[number - 1] for number in numbered} == numbered
    assert names[-1] == "flag"
