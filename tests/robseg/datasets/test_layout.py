"""Which files belong to a data set: through links, in upper and lower case, in both forms of Unicode."""

import logging
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from robseg.datasets import open_dataset
from robseg.datasets.files.layout import every_file

Tree = Callable[[str], Path]
Save = Callable[..., None]


def rename(file: Path, name: str) -> None:
    file.rename(file.with_name(name))


def test_endings_may_differ_in_case(tree: Tree) -> None:
    root = tree("cityscapes")
    rename(
        root / "leftImg8bit/val/ulm/ulm_000001_000019_leftImg8bit.png", "ulm_000001_000019_leftImg8bit.PNG"
    )
    rename(
        root / "gtFine/val/ulm/ulm_000001_000019_gtFine_labelIds.png", "ulm_000001_000019_GTFINE_labelids.png"
    )
    assert open_dataset("cityscapes", root).ids[1] == "ulm/ulm_000001_000019"


@pytest.mark.parametrize("goal", ["", "..", "../..", "north"])
def test_a_link_back_adds_no_image(goal: str, tree: Tree) -> None:
    root = tree("folder")
    for part in ("photos", "masks"):
        (root / part / "latest").symlink_to((root / part / goal).resolve())
    dataset = open_dataset("folder", root)
    assert dataset.ids == ("north/1", "south/1")
    assert [dataset.read(index).id for index in range(2)] == ["north/1", "south/1"]


def test_folders_that_link_to_each_other_are_walked_once_each(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").touch()
        (tmp_path / name / "other").symlink_to(tmp_path / other)
    assert sorted(path for path, _ in every_file(tmp_path / "a")) == ["other/x.png", "x.png"]


def test_images_that_are_reached_twice_are_counted_once_and_reported(
    tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    root = tree("folder")
    for part in ("photos", "masks"):
        (root / part / "a_link").symlink_to(root / part / "north")
    with caplog.at_level(logging.INFO, "robseg"):
        assert open_dataset("folder", root).ids == ("north/1", "south/1")
    assert "count once: 1, such as 'a_link/1', which is 'north/1'." in caplog.text


def test_one_mask_may_serve_two_images(tree: Tree) -> None:
    root = tree("folder")
    (root / "masks/south/1.png").unlink()
    (root / "masks/south").rmdir()
    (root / "masks/south").symlink_to(root / "masks/north")
    assert open_dataset("folder", root).ids == ("north/1", "south/1")


def test_names_are_compared_in_one_form_of_unicode(tree: Tree, image: Save, target: Save) -> None:
    root = tree("folder")
    image(root / "photos" / (unicodedata.normalize("NFD", "étang") + ".jpg"))
    target(root / "masks" / (unicodedata.normalize("NFC", "étang") + ".png"), 3)
    assert unicodedata.normalize("NFC", "étang") in open_dataset("folder", root).ids
