"""CamVid, and on its tree what the shared pairing and decoding refuse."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robseg.datasets import open_dataset
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

Tree = Callable[[str], Path]
Save = Callable[..., None]


def test_classes_and_void_are_distinguished(tree: Tree, target: Save) -> None:
    root = tree("camvid")
    target(root / "testannot/test_a.png", *range(12))
    read = open_dataset("camvid", root).read(0).target
    assert read.ravel().tolist() == [*range(11), IGNORE_INDEX] * 2


def test_the_image_is_the_files_pixels(tree: Tree) -> None:
    root = tree("camvid")
    stored = np.asarray(Image.open(root / "test/test_b.png"))
    assert np.array_equal(open_dataset("camvid", root).read(1).image, stored)


def test_ids_are_the_frames_names_and_trainval_is_both(tree: Tree) -> None:
    root = tree("camvid")
    assert open_dataset("camvid", root).ids == ("test_a", "test_b")
    assert open_dataset("camvid", root, "trainval").ids == ("train_a", "train_b", "val_a", "val_b")


def test_hidden_files_and_lists_do_not_count(tree: Tree) -> None:
    root = tree("camvid")
    (root / "test/.test_c.png").write_bytes(b"")
    (root / "test/.cache").mkdir()
    (root / "test/.cache/test_d.png").write_bytes(b"")
    (root / "test/notes.txt").write_text("")
    (root / "test.txt").write_text("")
    assert len(open_dataset("camvid", root)) == 2


def test_images_may_have_another_format_than_targets(tree: Tree) -> None:
    root = tree("camvid")
    before = open_dataset("camvid", root).read(0)
    Image.open(root / "test/test_a.png").save(root / "test/test_a.webp", lossless=True)
    (root / "test/test_a.png").unlink()
    after = open_dataset("camvid", root).read(0)
    assert after.id == before.id
    assert np.array_equal(after.image, before.image)


def test_a_missing_target_is_named(tree: Tree) -> None:
    root = tree("camvid")
    (root / "testannot/test_b.png").unlink()
    with pytest.raises(InputError, match=r"'.*/test/test_b.png' has none: add '.*/testannot/test_b.png'"):
        open_dataset("camvid", root)


def test_a_target_without_an_image_is_named(tree: Tree) -> None:
    root = tree("camvid")
    (root / "test/test_b.png").unlink()
    with pytest.raises(InputError, match=r"an image for every target, but '.*/testannot/test_b.png'"):
        open_dataset("camvid", root)


def test_a_missing_folder_is_named(tree: Tree) -> None:
    root = tree("camvid")
    (root / "testannot").rename(root / "labels")
    with pytest.raises(InputError, match=r"folder of targets '.*/testannot'"):
        open_dataset("camvid", root)


def test_an_empty_split_is_refused(tree: Tree) -> None:
    root = tree("camvid")
    for file in (root / "test").iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"Expected images named '\*.png' in '.*/test', but found none"):
        open_dataset("camvid", root)


def test_two_files_of_one_id_are_named(tree: Tree, image: Save) -> None:
    root = tree("camvid")
    image(root / "test/test_a.jpg")
    with pytest.raises(InputError, match=r"'test_a', but got '.*test_a.jpg' and '.*test_a.png'"):
        open_dataset("camvid", root)


def test_a_frame_in_both_parts_of_trainval_is_named(tree: Tree, image: Save, target: Save) -> None:
    root = tree("camvid")
    image(root / "val/train_a.png")
    target(root / "valannot/train_a.png")
    with pytest.raises(InputError, match="one file for 'train_a'"):
        open_dataset("camvid", root, "trainval")


def test_a_label_outside_the_classes_is_named_with_its_place(tree: Tree, target: Save) -> None:
    root = tree("camvid")
    target(root / "testannot/test_a.png", *[1] * 8, 37)
    dataset = open_dataset("camvid", root)
    with pytest.raises(InputError, match=r"values 0-11 in '.*test_a.png', but got 37 at row 1, column 2"):
        dataset.read(0)


def test_image_and_target_of_different_size_are_named(tree: Tree) -> None:
    root = tree("camvid")
    Image.new("L", (6, 5)).save(root / "testannot/test_a.png")
    with pytest.raises(InputError, match=r"test/test_a.png' has 4x6 and '.*testannot/test_a.png' has 5x6"):
        open_dataset("camvid", root).read(0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_target_in_colours_is_refused(tree: Tree, image: Save, mode: str) -> None:
    root = tree("camvid")
    image(root / "testannot/test_a.png", mode)
    with pytest.raises(InputError, match=rf"single-channel target .*test_a.png' has mode '{mode}'"):
        open_dataset("camvid", root).read(0)


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_wide_targets_are_read_if_their_values_fit(tree: Tree, mode: str) -> None:
    root, values = tree("camvid"), np.full((4, 6), 10, np.uint16 if mode == "I;16" else np.int32)
    file = root / "testannot/test_a.tif"
    (root / "testannot/test_a.png").unlink()
    for value, fits in ((10, True), (11, True), (12, False), (256, False), (256 + 10, False)):
        values[0, 0] = value
        Image.fromarray(values).save(file)
        with Image.open(file) as stored:
            assert stored.mode == mode
        dataset = open_dataset("camvid", root)
        if fits:
            assert dataset.read(0).target[0, 0] == (10 if value == 10 else IGNORE_INDEX)
        else:
            with pytest.raises(InputError, match=f"but got {value} at row 0, column 0"):
                dataset.read(0)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_targets_of_few_bits_keep_their_values(tree: Tree, bits: int) -> None:
    root = tree("camvid")
    values = np.resize(np.arange(min(2**bits, 11), dtype=np.uint8), (4, 6))
    indexed = Image.fromarray(values).convert("P")
    indexed.putpalette(bytes(range(255, -1, -1)) * 3)
    indexed.save(root / "testannot/test_a.png", bits=bits)
    (root / "testannot/test_b.png").write_bytes(grey_png(values, bits))
    dataset = open_dataset("camvid", root)
    assert np.array_equal(dataset.read(0).target, values)
    assert np.array_equal(dataset.read(1).target, values)


def grey_png(values: np.ndarray, bits: int) -> bytes:
    """Return a PNG of `bits` a grey pixel, which Pillow reads but does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b""
    for row in values:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text = text.ljust(-(-len(text) // 8) * 8, "0")
        rows += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_images_of_other_modes_become_rgb(tree: Tree, image: Save, mode: str) -> None:
    root = tree("camvid")
    image(root / "test/test_a.png", mode)
    read = open_dataset("camvid", root).read(0).image
    assert np.array_equal(read, np.asarray(Image.open(root / "test/test_a.png").convert("RGB")))


def test_transparent_palette_images_become_rgb(tree: Tree) -> None:
    root = tree("camvid")
    indexed = Image.new("P", (6, 4), 7)
    indexed.putpalette([1, 2, 3] * 256)
    indexed.save(root / "test/test_a.png", transparency=bytes(256))
    assert (open_dataset("camvid", root).read(0).image == (1, 2, 3)).all()


def test_images_of_16_bits_are_refused(tree: Tree) -> None:
    root = tree("camvid")
    Image.fromarray(np.zeros((4, 6), np.uint16)).save(root / "test/test_a.png")
    with pytest.raises(InputError, match=r"8 bits a channel, but '.*test_a.png' has mode 'I;16'"):
        open_dataset("camvid", root).read(0)
