"""The fields that a user gives in place of a card's own, and checks of them; without torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from robseg.errors import InputError, unknown_name
from robseg.models.card import Card, as_tuples

__all__ = ["CardFields", "card_fields", "fields_in", "overridden"]

CardFields = Card | Mapping[str, Any]

FIELDS = {field.name for field in dataclasses.fields(Card)}
CHOICES = {name: get_args(hint) for name, hint in get_type_hints(Card).items() if get_origin(hint) is Literal}
PAIRS = {"test_size", "crop_size", "stride"}


def fields_in(path: Path) -> dict[str, Any]:
    """Return the fields of a card, some or all, that a JSON file holds."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"Expected a card's fields as JSON in {path}, but got: {error}.") from error
    if not isinstance(fields, dict):
        raise InputError(
            f"Expected a card's fields in {path}, but got {type(fields).__name__}: write an object."
        )
    return fields


def card_fields(given: CardFields | None) -> dict[str, Any]:
    """Check the fields of a card, some or all, and return them by name.

    Examples
    --------
    >>> card_fields({"class_names": ["road", "sky"], "mean": [128, 128, 128]})
    {'class_names': ('road', 'sky'), 'mean': (128, 128, 128)}
    """
    if given is None:
        return {}
    if isinstance(given, Card):
        given = {name: getattr(given, name) for name in FIELDS}
    for name in given:
        if name not in FIELDS:
            raise unknown_name("field of a model's card", str(name), sorted(FIELDS))
    return {name: _checked(name, value) for name, value in given.items()}


def overridden(card: Card, fields: Mapping[str, Any]) -> Card:
    """Return the card with a user's fields in place of its own; options are merged."""
    options = {**card.options, **fields.get("options", {})}
    return dataclasses.replace(card, **{**fields, "options": options})


def _checked(name: str, value: Any) -> Any:
    """Return a field's value as a card holds it."""
    value = as_tuples(value)
    choices = CHOICES.get(name)
    if choices is not None and value not in choices:
        raise _wrong(name, f"one of {', '.join(map(str, choices))}", value)
    if name == "class_names" and not _are(value, str, None):
        raise _wrong(name, "distinct names", value)
    if name == "mean" and not _are(value, (int, float), 3):
        raise _wrong(name, "three numbers on the scale 0..255", value)
    if name == "std" and not (_are(value, (int, float), 3) and min(value) > 0):
        raise _wrong(name, "three positive numbers on the scale 0..255", value)
    if name == "options" and not isinstance(value, Mapping):
        raise _wrong(name, "an object", value)
    if name in PAIRS and value is not None and not (_are(value, int, 2) and min(value) > 0):
        raise _wrong(name, "rows and columns", value)
    if name == "size_divisor" and not (_are((value,), int, 1) and value > 0):
        raise _wrong(name, "a whole number of at least 1", value)
    return value


def _are(value: Any, kind: type | tuple[type, ...], length: int | None) -> bool:
    """Return whether a value is a tuple of that type and length; without a length, its items must differ."""
    if not isinstance(value, tuple) or not all(isinstance(one, kind) for one in value):
        return False
    return len(set(value)) == len(value) if length is None else len(value) == length


def _wrong(name: str, expected: str, value: Any) -> InputError:
    return InputError(f"Expected a card's `{name}` to be {expected}, but got {value!r}: correct the card.")
