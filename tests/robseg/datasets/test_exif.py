"""Images with an EXIF orientation are read as their targets were drawn: turned, or as stored."""

import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from robseg.cli.images import read_upright
from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.datasets.files.headers import Header, read_header

Tree = Callable[[str], Path]
ROTATED, HALF_TURN = 6, 3


@pytest.fixture
def root(tree: Tree) -> Path:
    """A folder of two images of 4x6, north/1 and south/1, whose targets have that size too."""
    root = tree("folder")
    for name in ("north/1", "south/1"):
        (root / f"photos/{name}.jpg").unlink()
        save(root / f"photos/{name}.png", 1)
    return root


def save(path: Path, orientation: int, size: tuple[int, int] = (4, 6)) -> None:
    pixels = np.random.default_rng(orientation).integers(0, 256, (*size, 3), np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(pixels).save(path, exif=exif)


def save_target(path: Path, height: int, width: int) -> None:
    Image.new("L", (width, height), 3).save(path)


def opened(root: Path, caplog: pytest.LogCaptureFixture) -> tuple[Dataset, list[str]]:
    """Return the data set and what was said while it was opened and read."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "robseg"):
        dataset = open_dataset("folder", root)
        for index in range(len(dataset)):
            dataset.read(index)
    return dataset, caplog.messages


def is_turned(dataset: Dataset, index: int) -> bool:
    """Return whether a sample's image is turned; if it is not, it must be as stored."""
    path = dataset.read.pairs[index].image  # type: ignore[attr-defined]
    stored = Image.open(path)
    image = dataset.read(index).image
    if np.array_equal(image, np.asarray(ImageOps.exif_transpose(stored))):
        assert np.array_equal(image, read_upright(path))
        return True
    assert np.array_equal(image, np.asarray(stored))
    return False


@pytest.mark.parametrize("orientation", range(2, 9))
def test_an_image_is_turned_as_viewers_show_it_where_its_target_then_fits(
    root: Path, orientation: int, caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "photos/north/1.png", orientation)
    dataset, said = opened(root, caplog)
    assert is_turned(dataset, 0) == (orientation < 5)
    assert len(said) == (orientation < 5)
    save_target(root / "masks/north/1.png", *((6, 4) if orientation >= 5 else (4, 6)))
    assert is_turned(opened(root, caplog)[0], 0)


def test_targets_that_fit_one_way_decide_for_those_that_fit_both_ways(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "photos/north/1.png", HALF_TURN)
    save(root / "photos/south/1.png", ROTATED)
    dataset, [said] = opened(root, caplog)
    assert not is_turned(dataset, 0)
    assert "EXIF orientation whose targets fit them both turned and as stored: 1, " in said
    assert "north/1.png'. They are left as stored" in said

    save_target(root / "masks/south/1.png", 6, 4)
    dataset, [said] = opened(root, caplog)
    assert is_turned(dataset, 0)
    assert "north/1.png'. They are turned, as other targets" in said


def test_squares_that_nothing_decides_are_turned_and_named(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "photos/north/1.png", ROTATED, (4, 4))
    save_target(root / "masks/north/1.png", 4, 4)
    dataset, [said] = opened(root, caplog)
    assert is_turned(dataset, 0)
    assert "north/1.png'. They are turned, as viewers show them: if" in said


def test_targets_that_disagree_decide_nothing(
    root: Path, image: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    save(root / "photos/north/1.png", ROTATED)
    save(root / "photos/south/1.png", ROTATED)
    save_target(root / "masks/south/1.png", 6, 4)
    save(root / "photos/south/2.png", HALF_TURN)
    save_target(root / "masks/south/2.png", 4, 6)
    dataset, [said] = opened(root, caplog)
    assert [is_turned(dataset, index) for index in range(3)] == [False, True, True]
    assert "They are turned, as viewers show them: if" in said


def test_an_orientation_behind_the_pixels_of_a_png_is_found(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = root / "photos/north/1.png"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = HALF_TURN
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(data)) + b"eXIf" + data + struct.pack(">I", zlib.crc32(b"eXIf" + data))
    content = path.read_bytes()
    path.write_bytes(content[:-12] + chunk + content[-12:])  # before IEND
    assert read_header(path).orientation == HALF_TURN
    dataset, [said] = opened(root, caplog)
    assert is_turned(dataset, 0)
    assert "north/1.png" in said


def test_the_header_of_an_image_that_is_too_large_is_not_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = root / "photos/north/1.png"
    save(path, HALF_TURN)
    monkeypatch.setenv("ROBSEG_MAX_PIXELS", "24")
    assert read_header(path).orientation == HALF_TURN
    monkeypatch.setenv("ROBSEG_MAX_PIXELS", "23")
    assert read_header(path) == Header()


def test_images_without_an_orientation_need_no_words(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert opened(root, caplog)[1] == []
