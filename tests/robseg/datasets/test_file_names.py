"""Names of files in another encoding than UTF-8, which neither run.json nor the counts can hold."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from robseg.datasets import open_dataset
from robseg.errors import InputError

LATIN_1 = "caf\udce9"  # as Python reads the bytes of "café" in Latin-1


@pytest.mark.parametrize("folder", ["", f"{LATIN_1}/"])
def test_an_image_whose_name_is_not_utf_8_is_named(folder: str, tmp_path: Path) -> None:
    name = f"{folder}a.png" if folder else f"{LATIN_1}.png"
    try:
        for part, shape in (("images", (8, 8, 3)), ("masks", (8, 8))):
            (tmp_path / part / name).parent.mkdir(parents=True)
            Image.fromarray(np.zeros(shape, np.uint8)).save(tmp_path / part / name)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    (tmp_path / "dataset.toml").write_text(
        'name = "a"\nimages = "images"\ntargets = "masks"\nclasses = [{name = "b", id = 0}]\n'
    )
    with pytest.raises(InputError, match=r"Expected file names in UTF-8, but got .*caf\\udce9.*: rename it"):
        open_dataset("folder", tmp_path)
