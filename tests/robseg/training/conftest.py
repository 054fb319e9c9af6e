from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    """A tiny data set in CamVid's layout."""
    rng = np.random.default_rng(0)
    for folder in ("train", "val"):
        for part, shape, top in ((folder, (40, 48, 3), 256), (f"{folder}annot", (40, 48), 12)):
            (tmp_path / part).mkdir()
            for index in range(3):
                pixels = rng.integers(0, top, shape, dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / f"{index}.png")
    return tmp_path
