"""The pixels of every corruption are written down: whoever changes one changes SET_VERSION too.

`python tests/corruptions/test_digests.py` writes the digests of the corruptions as they are.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions

FILE = Path(__file__).with_name("digests.json")
SEVERITIES = (1, 2, 3, 4, 5)


def image() -> NDArray[np.uint8]:
    """A picture of (64, 96) pixels made of integers: no library's version can change it."""
    rows, columns = np.mgrid[:64, :96]
    waves = [(3 * rows + 2 * columns) % 256, (rows * columns // 5) % 256, (rows**2 + columns**2) // 60 % 256]
    blocks = 90 * ((rows // 16 + columns // 24) % 2)
    planes: NDArray[np.uint8] = ((np.stack(waves, axis=2) + blocks[..., None]) // 2 + 20).astype(np.uint8)
    return planes


def target() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:64, :96]
    classes: NDArray[np.uint8] = (rows // 9 + 7 * (columns // 11)).astype(np.uint8)
    return classes


def digest(name: str, severity: int) -> str:
    """Of the image and of the target that belongs to it."""
    pair = corruptions.corrupt_pair(image(), target(), name, severity, seed=7, key="digest")
    return hashlib.sha256(pair[0].tobytes() + pair[1].tobytes()).hexdigest()[:32]


def all_digests() -> dict[str, list[str]]:
    return {name: [digest(name, severity) for severity in SEVERITIES] for name in corruptions.names("all")}


def test_the_picture_is_the_one_that_was_written_down() -> None:
    frozen = json.loads(FILE.read_text())
    assert hashlib.sha256(image().tobytes() + target().tobytes()).hexdigest()[:32] == frozen["picture"]


@pytest.mark.parametrize("name", corruptions.names("all"))
def test_no_pixel_changes_while_the_set_version_stays(name: str) -> None:
    frozen = json.loads(FILE.read_text())
    assert frozen["set_version"] == corruptions.SET_VERSION, "write the digests of the new version"
    assert [digest(name, severity) for severity in SEVERITIES] == frozen["digests"][name], (
        f"the pixels of {name} changed: undo that, or raise SET_VERSION and write the digests anew"
    )


def main() -> None:
    frozen = {
        "set_version": corruptions.SET_VERSION,
        "picture": hashlib.sha256(image().tobytes() + target().tobytes()).hexdigest()[:32],
        "digests": all_digests(),
    }
    FILE.write_text(json.dumps(frozen, indent=1) + "\n")


if __name__ == "__main__":
    main()
