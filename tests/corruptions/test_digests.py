"""The pixels of every corruption are frozen: whoever changes one raises the version of its set.

`make generated` writes the digests of new corruptions and new versions.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions

FILE = Path(__file__).with_name("digests.json")


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


def digests(name: str) -> list[str]:
    """The digests of the image with its target, for each severity."""
    pairs = [
        corruptions.corrupt_pair(image(), target(), name, severity, seed=7, key="digest")
        for severity in corruptions.get(name).severities
    ]
    return [hashlib.sha256(pair[0].tobytes() + pair[1].tobytes()).hexdigest()[:32] for pair in pairs]


def picture() -> str:
    return hashlib.sha256(image().tobytes() + target().tobytes()).hexdigest()[:32]


def versions() -> dict[str, str]:
    return {name: known.version for name, known in corruptions.SETS.items()}


def changed(frozen: dict[str, Any], current: dict[str, list[str]]) -> list[str]:
    """The corruptions whose pixels changed although the version of their set is the frozen one."""
    records = {name: corruptions.get(name) for name in current if name in frozen["digests"]}
    return [
        name
        for name, record in records.items()
        if frozen["versions"].get(record.set_name) == record.set_version
        and frozen["digests"][name] != current[name]
    ]


def test_the_picture_is_the_frozen_one() -> None:
    assert picture() == json.loads(FILE.read_text())["picture"]


def test_all_corruptions_of_the_current_versions_are_frozen() -> None:
    frozen = json.loads(FILE.read_text())
    assert frozen["versions"] == versions(), "run `make generated` to freeze the new version"
    assert list(frozen["digests"]) == list(corruptions.names()), (
        "run `make generated` to freeze new corruptions"
    )


@pytest.mark.parametrize("name", corruptions.names("all"))
def test_no_pixel_changes_while_the_version_of_its_set_stays(name: str) -> None:
    frozen = json.loads(FILE.read_text())
    assert not changed(frozen, {name: digests(name)}), (
        f"the pixels of {name} changed: undo that, or raise the version of its set and run `make generated`"
    )


def main() -> None:
    current = {name: digests(name) for name in corruptions.names("all")}
    if FILE.exists() and (names := changed(json.loads(FILE.read_text()), current)):
        raise SystemExit(
            f"The pixels of {', '.join(names)} changed: undo that, or raise the version of the set in "
            "corruptions/sets and run `make generated` again."
        )
    frozen = {"versions": versions(), "picture": picture(), "digests": current}
    FILE.write_text(json.dumps(frozen, indent=1) + "\n")


if __name__ == "__main__":
    main()
