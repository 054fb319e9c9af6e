from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from robseg.datasets import open_dataset
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

Tree = Callable[[str], Path]
Save = Callable[..., None]
COLOURED = """
name = "yard"
images = "photos"
targets = "masks"
ignore = [[0, 0, 0]]
classes = [{name = "grass", color = [0, 128, 0]}, {name = "path", color = [128, 0, 0]}]
"""


def rewrite(root: Path, old: str, new: str) -> None:
    file = root / "dataset.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_ids_in_masks_become_classes_in_the_order_of_the_file(tree: Tree, target: Save) -> None:
    root = tree("folder")
    target(root / "masks/north/1.png", 5, 3, 0)
    dataset = open_dataset("folder", root)
    assert (dataset.name, dataset.class_names) == ("yard", ("grass", "path"))
    assert dataset.ids == ("north/1", "south/1")
    assert dataset.palette[1] == (9, 8, 7)
    assert dataset.read(0).target[0].tolist() == [1, 0, IGNORE_INDEX] * 2


def test_colours_in_masks_become_classes(tree: Tree) -> None:
    root = tree("folder")
    (root / "dataset.toml").write_text(COLOURED)
    colours = np.array([[0, 128, 0], [128, 0, 0], [0, 0, 0]], np.uint8)
    for name in ("north/1", "south/1"):
        Image.fromarray(np.resize(colours, (4, 6, 3))).save(root / f"masks/{name}.png")
    dataset = open_dataset("folder", root)
    assert dataset.palette == ((0, 128, 0), (128, 0, 0))
    assert dataset.read(0).target[0].tolist() == [0, 1, IGNORE_INDEX] * 2
    for stranger in ([0, 129, 0], [255, 255, 255], [0, 0, 1]):
        Image.fromarray(np.full((4, 6, 3), stranger, np.uint8)).save(root / "masks/south/1.png")
        with pytest.raises(
            InputError, match=r"the 3 declared colours only in '.*south/1.png', but got \["
        ) as error:
            dataset.read(1)
        assert str(stranger) in str(error.value)


def test_several_ids_or_colours_are_one_class(tree: Tree, target: Save) -> None:
    root = tree("folder")
    target(root / "masks/north/1.png", 5, 3, 7)
    rewrite(root, "id = 5", "id = [5, 7]")
    dataset = open_dataset("folder", root)
    assert dataset.class_names == ("grass", "path")
    assert dataset.read(0).target[0].tolist() == [1, 0, 1] * 2

    (root / "dataset.toml").write_text(COLOURED.replace("[0, 128, 0]", "[[0, 128, 0], [0, 64, 0]]"))
    colours = np.array([[0, 128, 0], [0, 64, 0], [128, 0, 0]], np.uint8)
    Image.fromarray(np.resize(colours, (4, 6, 3))).save(root / "masks/north/1.png")
    dataset = open_dataset("folder", root)
    assert dataset.palette == ((0, 128, 0), (128, 0, 0))
    assert dataset.read(0).target[0].tolist() == [0, 0, 1] * 2


@pytest.mark.parametrize(
    ("void", "dtype", "suffix"),
    [
        (65535, np.uint16, "png"),
        (65535, np.uint16, "tif"),
        (-1, np.int16, "tif"),
        (-100, np.int32, "tif"),
        (2**31 - 1, np.int32, "tif"),
    ],
)
def test_labels_may_have_up_to_32_bits_and_a_sign(tree: Tree, void: int, dtype: type, suffix: str) -> None:
    root = tree("folder")
    (root / "masks/north/1.png").unlink()
    file = root / f"masks/north/1.{suffix}"
    rewrite(root, "id = 5", "id = 24001")
    rewrite(root, "ignore = [0]", f"ignore = [0, {void}]")
    values: np.ndarray = np.resize(np.array([24001, void, 3], dtype), (4, 6))
    save_signed(file, values)
    assert open_dataset("folder", root).read(0).target[0].tolist() == [1, IGNORE_INDEX, 0] * 2

    values[2, 1] = 24002
    save_signed(file, values)
    with pytest.raises(InputError, match=rf"3, 24001.* in '{file}', but got 24002 at row 2, column 1"):
        open_dataset("folder", root).read(0)


def save_signed(path: Path, values: np.ndarray) -> None:
    """Save labels. Pillow writes signed ones of 16 bits only if it is told that bytes have a sign."""
    if values.dtype == np.int16:
        image = Image.fromarray(values.view(np.uint16))
        image.save(path, tiffinfo={TiffImagePlugin.SAMPLEFORMAT: 2})
    else:
        Image.fromarray(values).save(path)
    assert np.array_equal(np.asarray(Image.open(path)), values)


def test_an_undeclared_id_is_named(tree: Tree, target: Save) -> None:
    root = tree("folder")
    target(root / "masks/south/1.png", 3, 4)
    with pytest.raises(InputError, match=r"values 0, 3, 5 in '.*south/1.png', but got 4 at row 0, column 1"):
        open_dataset("folder", root).read(1)


def test_the_root_may_be_the_toml_file_under_any_name(tree: Tree) -> None:
    root = tree("folder")
    before = open_dataset("folder", root)
    file = (root / "dataset.toml").rename(root / "yard.toml")
    assert open_dataset("folder", file) == before
    with pytest.raises(InputError, match=r"Expected '.*dataset.toml' to describe the data set"):
        open_dataset("folder", root)


def test_suffixes_belong_to_no_id(tree: Tree, image: Save, target: Save) -> None:
    root = tree("folder")
    rewrite(root, "ignore", 'image_suffix = "_rgb.jpg"\ntarget_suffix = "_mask.png"\nignore')
    image(root / "photos/yard_rgb.jpg")
    target(root / "masks/yard_mask.png", 3)
    assert open_dataset("folder", root).ids == ("yard",)


def test_a_pattern_chooses_images_and_ids_start_at_its_first_wildcard(tree: Tree) -> None:
    root = tree("folder")
    rewrite(root, '"photos"', '"photos/n*/*.jpg"')
    assert open_dataset("folder", root).ids == ("north/1",)
    rewrite(root, "photos/n*/*.jpg", "photos/x*/*.jpg")
    with pytest.raises(InputError, match=r"images that match 'photos/x\*/\*.jpg'"):
        open_dataset("folder", root)


def test_an_image_without_a_target_is_named(tree: Tree) -> None:
    root = tree("folder")
    (root / "masks/south/1.png").unlink()
    with pytest.raises(InputError, match=r"'.*south/1.jpg' has none"):
        open_dataset("folder", root)
    rewrite(root, '"photos"', '"photos/*/*.jpg"')
    with pytest.raises(InputError, match=r"'.*south/1.jpg' has none"):
        open_dataset("folder", root)


def test_other_classes_make_another_identity(tree: Tree) -> None:
    root = tree("folder")
    prints = {open_dataset("folder", root).identity}
    for old, new in (("ignore = [0]", "ignore = [0, 9]"), ("id = 5", "id = 6"), ('"grass"', '"lawn"')):
        rewrite(root, old, new)
        prints.add(open_dataset("folder", root).identity)
    assert len(prints) == 4


def test_the_fingerprint_does_not_depend_on_the_meaning_of_labels(tree: Tree) -> None:
    root = tree("folder")
    before = open_dataset("folder", root)
    assert before.labels == (("0", IGNORE_INDEX), ("3", 0), ("5", 1))
    rewrite(root, "id = 5, color = [9, 8, 7]", "id = [5, 6], color = [9, 9, 9]")
    after = open_dataset("folder", root)
    assert after.labels == (*before.labels, ("6", 1))
    assert after.fingerprint == before.fingerprint
    assert after.identity != before.identity
    rewrite(root, '"grass"', '"lawn"')
    assert open_dataset("folder", root).fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ignore", "ignored", "Unknown key of '.*dataset.toml' 'ignored': did you mean 'ignore'"),
        ("id = 3", "id = 3, colour = [1, 2, 3]", "'colour': did you mean 'color'"),
        ('name = "yard"', "", "`name` to be a text in '.*', but got nothing"),
        ('"yard"', '""', "`name` to be a text"),
        ('targets = "masks"', "targets = 3", "`targets` to be a text in '.*', but got 3"),
        ("id = 3", "id = 2147483648", "whole numbers of 32 bits in '.*', but got 2147483648"),
        ("id = 3", "id = true", "whole numbers of 32 bits in '.*', but got True"),
        ("id = 3", "id = 5", r"distinct ids of classes and `ignore` in '.*', but got \[5, 5\]"),
        ("id = 3", "id = 0", r"distinct ids of classes and `ignore`"),
        ("id = 3", "id = [3, 5]", r"distinct ids of classes and `ignore` in '.*', but got \[5, 5\]"),
        ("id = 3", "id = []", "`id` to have at least one value"),
        ("id = 3", "id = [3, 0.5]", "whole numbers of 32 bits in '.*', but got 0.5"),
        ("id = 3", "color = [1, 2, 3]", "an `id` for every class or for none"),
        (", id = 3", "", "an `id` or a `color` for every class"),
        (
            "[9, 8, 7]",
            "[9, 8]",
            r"colours to be \[red, green, blue\] from 0 to 255 in '.*', but got \[9, 8\]",
        ),
        ("[9, 8, 7]", "[9, 8, 256]", r"from 0 to 255 in '.*', but got \[9, 8, 256\]"),
        ('"grass"', '"path"', "distinct names"),
        ("ignore = [0]", "ignore = 0", "`ignore` to be a list"),
        ("ignore = [0]", "ignore = [[0, 0, 0]]", "whole numbers of 32 bits"),
        ("classes = [", "classes = []\nignore = [", "TOML file '.*dataset.toml', but cannot read it"),
        ('"masks"', '"labels"', "folder of targets '.*/labels', but there is no such folder"),
    ],
)
def test_a_wrong_description_is_explained(tree: Tree, old: str, new: str, message: str) -> None:
    root = tree("folder")
    rewrite(root, old, new)
    with pytest.raises(InputError, match=message):
        open_dataset("folder", root)


@pytest.mark.parametrize("classes", ["", "classes = []", "classes = 3", "classes = [3]"])
def test_a_description_without_classes_is_refused(tree: Tree, classes: str) -> None:
    root = tree("folder")
    (root / "dataset.toml").write_text(f'name = "a"\nimages = "photos"\ntargets = "masks"\n{classes}\n')
    with pytest.raises(InputError, match=r"Expected .*class"):
        open_dataset("folder", root)


def test_a_name_that_no_file_can_bear_is_refused(tree: Tree) -> None:
    root = tree("folder")
    rewrite(root, 'name = "yard"', 'name = "my/yard"')
    with pytest.raises(InputError, match="Expected `name` to be a text without slashes"):
        open_dataset("folder", root)
