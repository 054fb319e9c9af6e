"""Layouts that a dataset.toml can describe: patterns on both sides, one folder for both, splits, lists."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from robseg.datasets import open_dataset
from robseg.errors import InputError

Save = Callable[..., None]
Describe = Callable[..., Path]


@pytest.fixture
def describe(tmp_path: Path, image: Save, target: Save) -> Describe:
    """Write a dataset.toml, and images and targets at the given paths; return the folder."""

    def write(lines: str, *files: str) -> Path:
        for file in files:
            is_target = any(word in file.lower() for word in ("mask", "label"))
            (target if is_target else image)(tmp_path / file)
        (tmp_path / "dataset.toml").write_text(
            f'name = "yard"\n{lines}\n[[classes]]\nname = "grass"\nid = 0\n', encoding="utf-8"
        )
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("images", "targets", "files", "ids"),
    [
        (
            "seq*/Images/{id}.jpg",
            "seq*/Labels/{id}_mask.png",
            ("seq1/Images/a.jpg", "seq1/Labels/a_mask.png", "seq2/Images/a.jpg", "seq2/Labels/a_mask.png"),
            ("1/a", "2/a"),
        ),
        (
            "Tile */images/*.jpg",
            "Tile */masks/*.png",
            ("Tile 1/images/x.jpg", "Tile 1/masks/x.png", "Tile 2/images/x.jpg", "Tile 2/masks/x.png"),
            ("1/x", "2/x"),
        ),
        ("img_{id}.jpg", "mask_{id}.png", ("img_7.jpg", "mask_7.png"), ("7",)),
        ("{id}.png", "{id}_mask.png", ("x.png", "x_mask.png", "y.png", "y_mask.png"), ("x", "y")),
        ("{id}/{id}.jpg", "labels/{id}.png", ("x/x.jpg", "labels/x.png"), ("x",)),
        ("i", "m/{id}_mask.png", ("i/x.jpg", "m/x_mask.png"), ("x",)),
        ("i/**/*.jpg", "masks/**/*.png", ("i/x.jpg", "i/a/b/y.jpg", "masks/x.png", "masks/a/b/y.png"),
         ("a/b/y", "x")),
        ("i/[ab]?.jpg", "masks/[ab]?.png", ("i/a1.jpg", "i/c1.jpg", "masks/a1.png"), ("a/1",)),
    ],
)  # fmt: skip
def test_a_target_has_its_images_texts_in_the_place_of_wildcards(
    describe: Describe, images: str, targets: str, files: tuple[str, ...], ids: tuple[str, ...]
) -> None:
    dataset = open_dataset("folder", describe(f'images = "{images}"\ntargets = "{targets}"', *files))
    assert dataset.ids == ids
    for pair in dataset.read.pairs:  # type: ignore[attr-defined]
        assert pair.image.suffix == ".jpg" or "mask" in pair.target.name


@pytest.mark.parametrize("suffixes", ['image_suffix = ".png"\n', ""])
@pytest.mark.parametrize("images", [".", "*.png"])
def test_a_file_with_the_longer_suffix_is_no_image(describe: Describe, images: str, suffixes: str) -> None:
    lines = f'images = "{images}"\ntargets = "."\n{suffixes}target_suffix = "_mask.png"'
    assert open_dataset("folder", describe(lines, "x.png", "x_mask.png")).ids == ("x",)


@pytest.mark.parametrize("images", [".", "./"])
def test_targets_may_lie_below_the_images(describe: Describe, images: str) -> None:
    root = describe(f'images = "{images}"\ntargets = "mask"', "x.jpg", "mask/x.png")
    assert open_dataset("folder", root).ids == ("x",)


def test_images_that_cannot_be_told_from_targets_are_refused(describe: Describe) -> None:
    root = describe('images = "."\ntargets = "."', "x.png")
    with pytest.raises(InputError, match="describe the same files: give a pattern or a suffix"):
        open_dataset("folder", root)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('images = "*/{id}.jpg"\ntargets = "m/{id}.png"', "as many wildcards in 'm/{id}.png' as in"),
        ('images = "i/*"\ntargets = "m/*"\nimage_suffix = "a.jpg"', "no image_suffix and target_suffix"),
        ('images = "i/[z-a].jpg"\ntargets = "m"', "a pattern of file names, but got 'i/"),
        ('images = "i/*.jpg"\ntargets = "m/{id}_mask.png"', "targets that match 'm/{id}_mask.png'"),
        ('images = "i/*.jpg"\ntargets = "m/*_mask.png"\n', "targets that match"),
        ('images = "i/{id}.jpg"\ntargets = "i/{id}_x_mask.png"\n', "matches 'i/{id}_x_mask.png' for 'b'"),
    ],
)
def test_wrong_patterns_are_explained(describe: Describe, lines: str, message: str) -> None:
    root = describe(lines, "i/a.jpg", "i/b.jpg", "i/a_x_mask.png", "m/x.png")
    with pytest.raises(InputError) as error:
        open_dataset("folder", root)
    assert message in str(error.value)


def test_patterns_follow_links_and_take_upper_and_lower_case(
    describe: Describe, image: Save, target: Save, caplog: pytest.LogCaptureFixture
) -> None:
    root = describe('images = "i/**/*_rgb.jpg"\ntargets = "i/**/*_mask.png"', "i/a_rgb.jpg", "i/a_mask.png")
    image(root / "store/b_RGB.JPG")
    target(root / "store/b_Mask.png")
    (root / "i/s").symlink_to(root / "store")
    with caplog.at_level(logging.INFO, "robseg"):
        assert open_dataset("folder", root).ids == ("a", "s/b")
    assert "matches 1 of 2 files only in another case, such as 's/b_RGB.JPG'" in caplog.text


def test_what_the_description_leaves_out_is_counted_once(
    describe: Describe, caplog: pytest.LogCaptureFixture
) -> None:
    root = describe('images = "i/a*.jpg"\ntargets = "mask"', "i/a.jpg", "i/b.jpg", "mask/a.png", "mask/b.png")
    (root / "i/notes.txt").touch()
    open_dataset("folder", root)
    [said] = caplog.messages
    assert (
        said == f"yard leaves out 3 files in its folders (1 .jpg, 1 .txt, 1 .png), such as '{root}/i/b.jpg'."
    )


def test_nothing_is_reported_where_nothing_is_left_out(
    describe: Describe, caplog: pytest.LogCaptureFixture
) -> None:
    root = describe('images = "{id}.jpg"\ntargets = "mask"', "a.jpg", "mask/a.png")
    open_dataset("folder", root)
    assert not caplog.messages


@pytest.mark.parametrize(
    "lines",
    [
        'images = "{split}/i"\ntargets = "{split}/mask"',
        'images = "{split}/i/{id}.jpg"\ntargets = "{split}/mask/{id}.png"',
    ],
)
def test_splits_may_be_folders(describe: Describe, lines: str) -> None:
    root = describe(lines, "train/i/a.jpg", "train/mask/a.png", "val/i/b.jpg", "val/mask/b.png")
    assert open_dataset("folder", root, "train").ids == ("a",)
    assert open_dataset("folder", root, "val").split == "val"
    with pytest.raises(InputError, match=r"Expected a split, .* give --split NAME \(train, val\)"):
        open_dataset("folder", root)


def test_splits_may_be_lists(describe: Describe) -> None:
    root = describe(
        'images = "i"\ntargets = "mask"\nlist = "lists/{split}.txt"', "i/a.jpg", "i/b.jpg", "mask/b.png"
    )
    (root / "lists").mkdir()
    (root / "lists/val.txt").write_text("b\n")
    assert open_dataset("folder", root, "val").ids == ("b",)
    with pytest.raises(InputError, match=r"list of image names '.*lists/test.txt'"):
        open_dataset("folder", root, "test")


def test_a_split_that_nothing_describes_is_refused(describe: Describe) -> None:
    root = describe('images = "i"\ntargets = "mask"', "i/a.jpg", "mask/a.png")
    with pytest.raises(InputError, match=r"no split 'val', .* write {split}"):
        open_dataset("folder", root, "val")


@pytest.mark.parametrize("name", ["s/a", "a.jpg", "i/s/a.jpg", "./i/s/a", r"i\s\a.jpg"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_chooses_images_by_id_name_or_path(describe: Describe, name: str, encoding: str) -> None:
    root = describe(
        'images = "i"\ntargets = "mask"\nlist = "é.txt"', "i/s/a.jpg", "i/s/b.jpg", "mask/s/a.png"
    )
    (root / "é.txt").write_text(f"{name}\r\n\r\n", encoding=encoding)
    assert open_dataset("folder", root).ids == ("s/a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c", "Expected one image for 'c' in '.*', but there is none"),
        ("a", "Expected one image for 'a' in '.*', but there are 2: r/a, s/a"),
        ("", "Expected image names in '.*', but it is empty"),
    ],
)
def test_a_list_that_names_no_single_image_is_refused(describe: Describe, text: str, message: str) -> None:
    root = describe(
        'images = "i"\ntargets = "mask"\nlist = "l.txt"', "i/s/a.jpg", "i/r/a.jpg", "mask/s/a.png"
    )
    (root / "l.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        open_dataset("folder", root)


def test_a_byte_order_mark_before_the_description_is_skipped(describe: Describe) -> None:
    root = describe('images = "i"\ntargets = "mask"', "i/a.jpg", "mask/a.png")
    file = root / "dataset.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(open_dataset("folder", root)) == 1
