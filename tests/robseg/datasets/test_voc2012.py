from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robseg.datasets import open_dataset
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

Tree = Callable[[str], Path]


def test_the_list_file_chooses_the_images(tree: Tree) -> None:
    root = tree("voc2012")
    assert open_dataset("voc2012", root).ids == ("2007_000033", "2007_000042")
    assert open_dataset("voc2012", root, "train").ids == ("2008_000001",)
    assert len(open_dataset("voc2012", root, "trainval")) == 3


@pytest.mark.parametrize("inner", ["VOCdevkit", "VOCdevkit/VOC2012"])
def test_the_root_may_be_any_of_the_usual_folders(tree: Tree, inner: str) -> None:
    root = tree("voc2012")
    assert open_dataset("voc2012", root / inner).fingerprint == open_dataset("voc2012", root).fingerprint


def test_palette_targets_are_read_as_indices(tree: Tree) -> None:
    root = tree("voc2012")
    picture = Image.fromarray(np.resize(np.array([0, 3, 20, 255], np.uint8), (4, 6))).convert("P")
    picture.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
    picture.save(root / "VOCdevkit/VOC2012/SegmentationClass/2007_000033.png")
    assert open_dataset("voc2012", root).read(0).target[0].tolist() == [0, 3, 20, IGNORE_INDEX, 0, 3]


@pytest.mark.parametrize("file", ["JPEGImages/2007_000042.jpg", "SegmentationClass/2007_000042.png"])
def test_a_listed_file_that_is_missing_is_named(tree: Tree, file: str) -> None:
    root = tree("voc2012")
    (root / "VOCdevkit/VOC2012" / file).unlink()
    with pytest.raises(InputError, match=rf"Expected '.*{file}', which '.*val.txt' names"):
        open_dataset("voc2012", root)


def test_a_missing_empty_or_repeating_list_is_named(tree: Tree) -> None:
    root = tree("voc2012")
    list_file = root / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt"
    list_file.write_text("2007_000042\n2007_000042\n")
    with pytest.raises(InputError, match="one file for '2007_000042'"):
        open_dataset("voc2012", root)
    list_file.write_text("\n")
    with pytest.raises(InputError, match=r"val.txt', but it is empty"):
        open_dataset("voc2012", root)
    list_file.unlink()
    with pytest.raises(InputError, match=r"val.txt', but cannot read it"):
        open_dataset("voc2012", root)
