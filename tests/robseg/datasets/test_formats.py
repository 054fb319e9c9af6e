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


def test_no_image_is_opened_without_its_formats() -> None:
    found = 0
    for package in (corruptions, reports, robseg):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open"):
                    assert "formats" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"
                    found += 1
    assert found > 3
