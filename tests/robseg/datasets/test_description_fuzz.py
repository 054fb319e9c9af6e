"""A wrong dataset.toml is refused in a line."""

from pathlib import Path
from typing import Any

import pytest

from robseg.datasets.files.description import read_description
from robseg.errors import InputError
from tests.mutations import DEPTHS, NUMBERS, fuzz, mutated, nested
from tests.toml import toml

COLOURS: dict[str, Any] = {
    "name": "yard",
    "images": "photos",
    "targets": "masks",
    "image_suffix": "_rgb.jpg",
    "ignore": [[0, 0, 0]],
    "classes": [{"name": "grass", "color": [0, 128, 0]}, {"name": "path", "color": [9, 8, 7]}],
}
INDICES = {**COLOURS, "ignore": [255], "classes": [{"name": "grass", "id": 1}, {"name": "path", "id": 5}]}


@pytest.mark.parametrize("description", [COLOURS, INDICES], ids=["colours", "indices"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_wrong_description_is_refused(number: int, description: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "dataset.toml"

    def read(table: Any) -> None:
        file.write_bytes(toml(table))
        read_description(file)

    read(description)
    fuzz(number, mutated(description), read)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("key", ["ignore", "classes", "name"])
def test_a_nested_description_is_refused(depth: int, key: str, tmp_path: Path) -> None:
    file = tmp_path / "dataset.toml"
    file.write_bytes(toml({name: value for name, value in INDICES.items() if name != key}))
    file.write_text(f"{file.read_text()}{key} = {nested(depth)}\n")
    with pytest.raises(InputError, match=r"dataset\.toml"):
        read_description(file)
