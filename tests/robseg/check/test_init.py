"""`robseg check --init` writes a dataset.toml on which `robseg check` works at once."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from robseg.check.sides import guess_sides
from tests.invoke import invoke as run

Save = Callable[..., Path]
LAYOUTS: list[tuple[list[str], dict[str, str]]] = [
    (["images/a.jpg", "masks/a.png"], {"images": "images", "targets": "masks"}),
    (["images/s/a.jpg", "labels/s/a.png", "images/b.png", "labels/b.png"],
     {"images": "images", "targets": "labels"}),
    (["images/a_rgb.jpg", "masks/a_mask.png"],
     {"images": "images", "targets": "masks", "image_suffix": "_rgb.jpg", "target_suffix": "_mask.png"}),
    (["a.png", "a_mask.png"], {"images": ".", "targets": ".", "target_suffix": "_mask.png"}),
    (["a.jpg", "a.png"], {"images": ".", "targets": ".", "image_suffix": ".jpg", "target_suffix": ".png"}),
    (["a.jpg", "masks/a.png"], {"images": ".", "targets": "masks"}),
    (["img_7.jpg", "mask_7.png"], {"images": "img_{id}.jpg", "targets": "mask_{id}.png"}),
    (["Tile 1/images/a.jpg", "Tile 1/masks/a.png", "Tile 2/images/a.jpg", "Tile 2/masks/a.png"],
     {"images": "Tile */images/{id}.jpg", "targets": "Tile */masks/{id}.png"}),
    (["seq1/Images/a.png", "seq1/Labels/a.png", "seq12/Images/a.png", "seq12/Labels/a.png"],
     {"images": "seq*/Images/{id}.png", "targets": "seq*/Labels/{id}.png"}),
    (["train/images/a.jpg", "train/masks/a.png", "val/images/b.jpg", "val/masks/b.png"],
     {"images": "{split}/images", "targets": "{split}/masks"}),
    (["uavid_train/seq1/Images/0.png", "uavid_train/seq1/Labels/0.png",
      "uavid_val/seq16/Images/0.png", "uavid_val/seq16/Labels/0.png"],
     {"images": "uavid_{split}/seq*/Images/{id}.png", "targets": "uavid_{split}/seq*/Labels/{id}.png"}),
    (["images/train/a.jpg", "annotations/train/a.png", "images/val/b.jpg", "annotations/val/b.png"],
     {"images": "images/{split}", "targets": "annotations/{split}"}),
    (["train/a.jpg", "train/a_mask.png", "valid/b.jpg", "valid/b_mask.png"],
     {"images": "{split}", "targets": "{split}", "target_suffix": "_mask.png"}),
    (["train/a.png", "trainannot/a.png", "val/b.png", "valannot/b.png"],
     {"images": "{split}", "targets": "{split}annot"}),
    (["train_img/a.png", "train_labels/a.png", "val_img/b.png", "val_labels/b.png"],
     {"images": "{split}_img", "targets": "{split}_labels"}),
    (["train/7_sat.jpg", "train/7_mask.png"],
     {"images": ".", "targets": ".", "image_suffix": "_sat.jpg", "target_suffix": "_mask.png"}),
    (["train/a.png", "train_labels/a_L.png", "val/b.png", "val_labels/b_L.png"],
     {"images": "{split}", "targets": "{split}_labels", "target_suffix": "_L.png"}),
    (["Tile [1]/images/a.jpg", "Tile [1]/masks/a.png"],
     {"images": "Tile [[]1]/images/{id}.jpg", "targets": "Tile [[]1]/masks/{id}.png"}),
    (["JPEGImages/a.jpg", "SegmentationClass/a.png"],
     {"images": "JPEGImages", "targets": "SegmentationClass"}),
    (["leftImg8bit/val/ulm/a_leftImg8bit.png", "gtFine/val/ulm/a_gtFine_labelIds.png"],
     {"images": "leftImg8bit", "targets": "gtFine", "image_suffix": "_leftImg8bit.png",
      "target_suffix": "_gtFine_labelIds.png"}),
]  # fmt: skip


def told(root: Path, *, exit_code: int = 0) -> list[str]:
    result = run("check", "--init", root)
    assert result.exit_code == exit_code, result.output
    return result.output.splitlines()


def described(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "dataset.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("paths", "keys"), LAYOUTS, ids=lambda value: value[0] if isinstance(value, list) else ""
)
def test_common_layouts_are_described_and_can_be_checked_at_once(
    paths: list[str], keys: dict[str, str], tmp_path: Path, photo: Save, mask: Save
) -> None:
    root = tmp_path / "yard"
    targets = {target for _, target in guess_sides(paths).pairs}
    for path in paths:
        (mask if path in targets else photo)(root / path, *([0, 1] if path in targets else []))
    said = told(root)
    found = described(root)
    assert {key: found[key] for key in found if key not in ("name", "ignore", "classes")} == keys
    assert f"for {len(paths) // 2} pairs" in said[0]
    result = run("check", root, "--json", "-q")
    assert result.exit_code == 0, result.output
    assert sum(report["images"] for report in json.loads(result.stdout)) == len(paths) // 2


def test_only_the_pairs_that_are_described_are_counted(tmp_path: Path, photo: Save, mask: Save) -> None:
    for tile in "123":
        photo(tmp_path / f"T{tile}/images/a.{'jpg' if tile < '3' else 'png'}")
        mask(tmp_path / f"T{tile}/masks/a.png", 0)
    said = told(tmp_path)
    assert "for 2 pairs" in said[0]
    assert "  files that are not among the pairs: 'T3/images/a.png', 'T3/masks/a.png'" in said
    assert json.loads(run("check", tmp_path, "--json", "-q").stdout)[0]["images"] == 2


def test_values_of_index_masks_become_classes_and_255_is_ignored(yard: Path) -> None:
    (yard / "dataset.toml").unlink()
    said = told(yard)
    found = described(yard)
    assert found["classes"] == [{"name": "class-0", "id": 0}, {"name": "class-1", "id": 1}]
    assert found["ignore"] == [255]
    assert "  ignored: 255, which usually marks pixels without a class" in said
    assert "97.92% of the pixels, in 7 of 7 targets" in (yard / "dataset.toml").read_text()


def test_black_and_white_masks_have_two_classes(yard: Path, mask: Save) -> None:
    (yard / "dataset.toml").unlink()
    for name in "abcdefg":
        mask(yard / f"masks/{name}.png", 0, 255)
    told(yard)
    assert [each["id"] for each in described(yard)["classes"]] == [0, 255]


def test_colours_of_colour_masks_become_classes(yard: Path, mask: Save) -> None:
    (yard / "dataset.toml").unlink()
    for name in "abcdefg":
        mask(yard / f"masks/{name}.png", (0, 0, 9), (1, 2, 3))
    told(yard)
    assert described(yard)["classes"] == [
        {"name": "class-000009", "color": [0, 0, 9]},
        {"name": "class-010203", "color": [1, 2, 3]},
    ]
    assert run("check", yard).exit_code == 0


@pytest.mark.parametrize("is_same", [True, False])
def test_masks_with_palettes_have_ids_and_colours_unless_their_palettes_differ(
    yard: Path, is_same: bool
) -> None:
    (yard / "dataset.toml").unlink()
    for name in "abcdefg":
        image = Image.fromarray(np.eye(8, 12, dtype=np.uint8)).convert("P")
        image.putpalette([9, 0, 0, 0, 8, 0] if is_same or name == "a" else [0, 8, 0, 9, 0, 0])
        image.save(yard / f"masks/{name}.png")
    told(yard)
    classes = described(yard)["classes"]
    if is_same:
        assert classes == [
            {"name": "class-0", "id": 0, "color": [9, 0, 0]},
            {"name": "class-1", "id": 1, "color": [0, 8, 0]},
        ]
    else:
        assert [each["color"] for each in classes] == [[0, 8, 0], [9, 0, 0]]
        assert not any("id" in each for each in classes)
    assert run("check", yard).exit_code == 0


def test_what_is_left_out_is_said(yard: Path, photo: Save) -> None:
    (yard / "dataset.toml").unlink()
    photo(yard / "images/alone.png")
    (yard / "masks/b.png").write_bytes(b"")
    said = "\n".join(told(yard))
    assert f"targets that cannot be read: '{yard / 'masks/b.png'}'" in said
    assert "files that are not among the pairs: 'images/alone.png'" in said


def test_nothing_is_written_over(yard: Path) -> None:
    before = (yard / "dataset.toml").read_bytes()
    [error] = told(yard, exit_code=2)
    assert "Expected no '" in error
    assert (yard / "dataset.toml").read_bytes() == before


def test_a_folder_whose_names_say_nothing_is_refused(yard: Path, tmp_path: Path) -> None:
    shutil.rmtree(yard / "masks")
    (yard / "dataset.toml").unlink()
    [error] = told(yard, exit_code=2)
    assert "found no pair among 7 image files" in error
    [error] = told(tmp_path / "nowhere", exit_code=2)
    assert "is none: correct the path" in error
    assert not (yard / "dataset.toml").exists()
