"""A registry finds what is in a folder, under the names of the files."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from robseg.errors import InputError
from robseg.registry import Registry

Fruits = Registry[str]


@pytest.fixture
def fruits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fruits]:
    """Return the registry of a folder of fruits, where each notes that it was imported."""
    folder = tmp_path / "orchard"
    (folder / "pear").mkdir(parents=True)
    for file in ("__init__.py", "plum.py", "apple.py", "pear/__init__.py", "shears.py"):
        (folder / file).write_text("FRUIT = __name__\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Registry("fruit", "orchard", "FRUIT", besides=("shears",), first="plum")
    for module in [name for name in sys.modules if name.startswith("orchard")]:
        del sys.modules[module]


def test_names_are_those_of_files_and_folders(fruits: Fruits) -> None:
    assert tuple(fruits) == ("plum", "apple", "pear")
    assert "pear" in fruits
    assert "shears" not in fruits


def test_a_module_is_imported_when_its_record_is_looked_up(fruits: Fruits) -> None:
    assert "orchard.apple" not in sys.modules
    assert fruits["apple"] == "orchard.apple"
    assert "orchard.plum" not in sys.modules
    assert list(fruits.values()) == ["orchard.plum", "orchard.apple", "orchard.pear"]


def test_a_misspelt_name_is_answered_with_the_nearest(fruits: Fruits) -> None:
    with pytest.raises(InputError, match="Unknown fruit 'aple': did you mean 'apple'"):
        fruits["aple"]
