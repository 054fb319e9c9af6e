"""Read and check a `dataset.toml`; `robseg.datasets.folder` describes its keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard, TypeVar

from reports.run.parse import from_toml
from reports.run.typed import shown
from robseg.datasets.base import IGNORE_INDEX
from robseg.datasets.files.pixels import MAX_CLASSES, ColourLabels, IndexLabels, Labels
from robseg.errors import InputError, unknown_name

__all__ = ["Description", "read_description", "spare_colour"]

KEYS = ("name", "images", "targets", "image_suffix", "target_suffix", "list", "ignore", "classes")
CLASS_KEYS = ("name", "id", "color")

Colour = tuple[int, int, int]
Table = Mapping[str, Any]
Key = TypeVar("Key", int, Colour)


@dataclasses.dataclass(frozen=True)
class Description:
    """A checked dataset.toml; `images`, `targets` and `list` are as written there."""

    name: str
    images: str
    targets: str
    image_suffix: str
    target_suffix: str
    list: str
    class_names: tuple[str, ...]
    palette: tuple[Colour, ...]
    labels: Labels


class _Class(NamedTuple):
    name: str
    values: tuple[int, ...]
    colours: tuple[Colour, ...]


def read_description(file: Path) -> Description:
    """Return what the file says; an error names the file, the key and the value."""
    try:
        table = from_toml(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"Expected a TOML file '{file}', but cannot read it: {error}.") from error
    _check_keys(table, KEYS, f"key of '{file}'")
    try:
        return _description(table)
    except _WrongValueError as error:
        got = "nothing" if error.got is None else shown(error.got)
        raise InputError(f"Expected {error.expected} in '{file}', but got {got}.") from error


class _WrongValueError(Exception):
    """The value that a key should have, and the value that it has."""

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(expected, got)
        self.expected, self.got = expected, got


def _description(table: Table) -> Description:
    classes = _classes(table)
    return Description(
        name=_file_name(table, "name"),
        images=_text(table, "images"),
        targets=_text(table, "targets"),
        image_suffix=_text(table, "image_suffix", default=""),
        target_suffix=_text(table, "target_suffix", default=""),
        list=_text(table, "list", default=""),
        class_names=_distinct([each.name for each in classes], "names"),
        palette=tuple(
            each.colours[0] if each.colours else spare_colour(i + 1) for i, each in enumerate(classes)
        ),
        labels=_labels(classes, table.get("ignore", [])),
    )


def _check_keys(table: Table, known: Collection[str], kind: str) -> None:
    for key in table:
        if key not in known:
            raise unknown_name(kind, key, known)


def _text(table: Table, key: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (value == "" and default is None):
        raise _WrongValueError(f"`{key}` to be a text", value)
    return value


def _file_name(table: Table, key: str) -> str:
    """Return a text that may be part of a file's name: models trained on the data are named after it."""
    value = _text(table, key)
    if set(value) & set("/\\"):
        raise _WrongValueError(f"`{key}` to be a text without slashes", value)
    return value


def _classes(table: Table) -> list[_Class]:
    entries = table.get("classes")
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_CLASSES:
        raise _WrongValueError(f"1 to {MAX_CLASSES} tables [[classes]]", entries)
    return [_class(entry) for entry in entries]


def _class(entry: object) -> _Class:
    if not isinstance(entry, dict):
        raise _WrongValueError("a class to be a table with name and id or color", entry)
    _check_keys(entry, CLASS_KEYS, "key of a class in a dataset.toml")
    if "id" not in entry and "color" not in entry:
        raise _WrongValueError("an `id` or a `color` for every class", entry)
    ids, colours = entry.get("id", []), entry.get("color", [])
    values = tuple(_value(each) for each in (ids if isinstance(ids, list) else [ids]))
    several = isinstance(colours, list) and all(isinstance(each, list) for each in colours)
    drawn = tuple(_colour(each) for each in (colours if several else [colours]))
    for key, found in (("id", values), ("color", drawn)):
        if key in entry and not found:
            raise _WrongValueError(f"`{key}` to have at least one value", entry[key])
    return _Class(_text(entry, "name"), values, drawn)


def _labels(classes: list[_Class], ignore: object) -> Labels:
    """Return index labels if the classes have ids, colour labels if none has one."""
    if not isinstance(ignore, list):
        raise _WrongValueError("`ignore` to be a list", ignore)
    with_ids = [each.name for each in classes if each.values]
    if len(with_ids) == len(classes):
        ids = [each.values for each in classes]
        return IndexLabels.of(_table(ids, [_value(each) for each in ignore], "ids"))
    if with_ids:
        raise _WrongValueError("an `id` for every class or for none", [each.name for each in classes])
    colours = [each.colours for each in classes]
    return ColourLabels.of(_table(colours, [_colour(each) for each in ignore], "colours"))


def _table(classes: list[tuple[Key, ...]], ignore: list[Key], what: str) -> dict[Key, int]:
    """Return the class of each label value or colour; a class may have several."""
    _distinct([key for keys in classes for key in keys] + ignore, f"{what} of classes and `ignore`")
    labels = {key: index for index, keys in enumerate(classes) for key in keys}
    return {**labels, **dict.fromkeys(ignore, IGNORE_INDEX)}


Item = TypeVar("Item")


def _distinct(items: list[Item], what: str) -> tuple[Item, ...]:
    twice = [item for item in items if items.count(item) > 1]
    if twice:
        raise _WrongValueError(f"distinct {what}", twice)
    return tuple(items)


def _value(value: object) -> int:
    if not _is_whole(value, -(2**31), 2**31 - 1):
        raise _WrongValueError("label values to be whole numbers of 32 bits", value)
    return value


def _is_whole(value: object, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _colour(value: object) -> Colour:
    if not isinstance(value, list) or len(value) != 3 or not all(_is_whole(each, 0, 255) for each in value):
        raise _WrongValueError("colours to be [red, green, blue] from 0 to 255", value)
    red, green, blue = value
    return red, green, blue


def spare_colour(number: int) -> Colour:
    """Return PASCAL VOC's colour of a number, whose bits fill red, green and blue in turn, from the top."""
    red, green, blue = (
        sum(((number >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(3)) for channel in range(3)
    )
    return red, green, blue
