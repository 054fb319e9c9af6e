from collections.abc import Callable
from pathlib import Path

import pytest

from robseg.datasets import open_dataset
from robseg.datasets.files.drives import blocks


def test_ten_neighbours_of_a_drive_are_a_block_in_whatever_order_they_come() -> None:
    ids = [f"a_{n:03d}" for n in range(25)] + [f"b_{n:03d}" for n in range(3)]
    drives = [name[0] for name in ids]
    named = dict(zip(ids, blocks(ids, drives), strict=True))
    assert [list(named.values()).count(name) for name in dict.fromkeys(named.values())] == [10, 10, 5, 3]
    assert named["a_009"] != named["a_010"] == named["a_019"]
    turned = dict(zip(ids[::-1], blocks(ids[::-1], drives[::-1]), strict=True))
    assert turned == named


@pytest.mark.parametrize(("name", "drives"), [("camvid", 1), ("cityscapes", 2)])
def test_a_data_set_of_drives_says_which_images_belong_together(
    tree: Callable[[str], Path], name: str, drives: int
) -> None:
    dataset = open_dataset(name, tree(name))
    assert len(dataset.clusters) == len(dataset) == 2
    assert len(set(dataset.clusters)) == drives
    assert dataset.spread(1).clusters == dataset.clusters[:1]
