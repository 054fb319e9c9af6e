"""The fields that a user gives in place of a card's own, and checks of them; without torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.run.parse import from_json
from reports.run.typed import WrongValue, typed_fields
from robseg.errors import InputError
from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD, Card

__all__ = ["CardFields", "card_fields", "check_options", "check_single_output", "fields_in", "overridden"]

CardFields = Card | Mapping[str, Any]


def fields_in(path: Path) -> dict[str, Any]:
    """Return the fields of a card, some or all, that a JSON file holds."""
    try:
        fields = from_json(path.read_bytes())
    except (OSError, ValueError) as error:
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
    {'class_names': ('road', 'sky'), 'mean': (128.0, 128.0, 128.0)}
    """
    if given is None:
        return {}
    if isinstance(given, Card):
        given = {field.name: getattr(given, field.name) for field in dataclasses.fields(Card)}
    if not isinstance(given, Mapping):
        raise InputError(f"Expected a Card or a dictionary of its fields, but got {type(given).__name__}.")
    fields = typed_fields(Card, given, "card")
    names = fields.get("class_names", ())
    if len(set(names)) < len(names):
        raise WrongValue("card.class_names", "distinct names", names)
    return fields


def overridden(card: Card, fields: Mapping[str, Any]) -> Card:
    """Return the card with a user's fields in place of its own; options are merged.

    Raises
    ------
    InputError
        If the mean or std of the result is on the scale 0..1.
    """
    options = {**card.options, **fields.get("options", {})}
    card = dataclasses.replace(card, **{**fields, "options": options})
    _check_scale(card)
    return card


def check_options(model: str, fields: Mapping[str, Any], used: Mapping[str, Any]) -> None:
    """Raise InputError if one of a user's options is not among those that a model was built with."""
    options = fields.get("options", {})
    ignored = [name for name, value in options.items() if name not in used or used[name] != value]
    if ignored:
        name = ignored[0]
        has = f"{name} = {used[name]}" if name in used else f"no {name}"
        raise InputError(
            f"Expected the options of a card that {model} takes, but it does not take "
            f"{name} = {options[name]} (it has {has}): correct or remove it."
        )


def check_single_output(card: Card) -> None:
    """Raise InputError if the card of a model whose answer is known says what it answers."""
    for field in ("output", "answers"):
        value = getattr(card, field)
        if value is not None:
            raise InputError(
                f"Expected no `{field}` in the card of {card.id}, which answers logits alone, but got "
                f"{value!r}: leave it out."
            )


def _check_scale(card: Card) -> None:
    """Raise InputError if mean or std is on the scale 0..1: no data set's pixels of 0..255 are that dark."""
    if min(card.std) >= 1 and (max(card.mean) >= 1 or not any(card.mean)):
        return
    raise InputError(
        f"Expected the mean and std of {card.id} on the scale 0..255, but got mean {_numbers(card.mean)} and "
        f"std {_numbers(card.std)}, at least one of which is on the scale 0..1: multiply it by 255, as in "
        f"mean {_numbers(IMAGENET_MEAN)} and std {_numbers(IMAGENET_STD)}."
    )


def _numbers(values: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"
