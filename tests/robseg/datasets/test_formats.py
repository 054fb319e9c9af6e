"""Images of the formats that data sets have are read; nothing else in a file is opened, or even run."""

import ast
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

import corruptions
import reports
import robseg
from robseg.cli.images import SUFFIXES, read_upright
from robseg.datasets.files.layout import IMAGE_SUFFIXES
from robseg.datasets.files.pixels import FORMATS, IndexLabels, read_image
from robseg.errors import InputError

PICTURE = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 12))


def test_postscript_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was run"))
    path = tmp_path / "picture.png"
    PICTURE.save(path, "EPS")
    for read in (read_image, read_upright, IndexLabels.of({0: 0}).read):
        with pytest.raises(InputError, match=r"readable image file .*PNG.* but got another kind of file"):
            read(path)


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES | {*SUFFIXES}))
def test_an_image_that_is_found_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture{suffix}"
    PICTURE.convert("L").save(path)
    assert read_image(path).shape == read_upright(path).shape == (4, 12, 3)
    assert Image.registered_extensions()[suffix] in FORMATS


def test_an_image_of_more_pixels_than_allowed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.png"
    PICTURE.convert("L").save(path)
    readers = (read_image, read_upright, IndexLabels.of(dict.fromkeys(range(48), 0)).read)
    for read in readers:
        monkeypatch.setenv("ROBSEG_MAX_PIXELS", "47")
        with pytest.raises(
            InputError, match=r"^Expected images of at most 47 pixels, but '.*picture.png' has 4x12 .* tiles"
        ):
            read(path)
        monkeypatch.setenv("ROBSEG_MAX_PIXELS", "48")
        assert read(path).shape[:2] == (4, 12)
        monkeypatch.setenv("ROBSEG_MAX_PIXELS", "many")
        with pytest.raises(
            InputError, match=r"^Expected ROBSEG_MAX_PIXELS to be a whole number .* but got 'many'"
        ):
            read(path)


def test_the_limit_of_pillow_neither_warns_nor_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.png"
    PICTURE.save(path)
    for limit in (47, 20):  # Pillow warns above its limit, and refuses above twice that
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert read_image(path).shape == (4, 12, 3)
        assert limit == Image.MAX_IMAGE_PIXELS


def test_no_image_is_opened_without_its_formats() -> None:
    found = 0
    for package in (corruptions, reports, robseg):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open"):
                    assert "formats" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"
                    found += 1
    assert found > 3
