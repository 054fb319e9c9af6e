"""A model's identity changes with what changes labels, and with nothing else."""

import dataclasses
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch
from torch import nn

from robseg.models.card import Card, ChangesNoLabel, label_fields
from robseg.models.model import Model
from robseg.models.predict.inference import labels

CARD = Card("enet@toy", "enet", "toy", ("road", "sky", "car"), options={"generation": 2018})
HINTS = get_type_hints(Card, include_extras=True)
FIELDS = tuple(field.name for field in dataclasses.fields(Card))

# What makes a network of a card, chooses its output and says what it is, and what maps its channels to a
# data set's classes.
BUILT = {"architecture", "options", "class_names", "output", "answers"}


class Read:
    """A card that notes which of its fields are read."""

    def __init__(self, card: Card, seen: set[str]) -> None:
        self._card = card
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        self._seen.add(name)
        return getattr(self._card, name)


def other(name: str, value: Any) -> Any:
    """Return another value of a field."""
    hint = get_type_hints(Card)[name]
    if get_origin(hint) is Any or isinstance(value, dict):
        return {**value, "generation": 2021}
    if get_args(hint) and all(isinstance(choice, (str, int)) for choice in get_args(hint)):
        return next(choice for choice in get_args(hint) if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, int):
        return value + 1
    return (*value[1:], value[0], "x") if value else (3, 5)


def model(card: Card) -> Model:
    return Model(card, nn.Conv2d(3, 3, 1), "0" * 64, torch.device("cpu"))


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_counts_unless_it_is_marked(name: str) -> None:
    changed = dataclasses.replace(CARD, **{name: other(name, getattr(CARD, name))})
    assert getattr(changed, name) != getattr(CARD, name)
    marks = [mark for mark in getattr(HINTS[name], "__metadata__", ()) if isinstance(mark, ChangesNoLabel)]
    assert (model(changed).identity == model(CARD).identity) == bool(marks)
    assert all(mark.why.endswith(".") for mark in marks)


def test_other_weights_are_another_model() -> None:
    assert dataclasses.replace(model(CARD), sha256="1" * 64).identity != model(CARD).identity


def test_what_prediction_reads_is_what_counts() -> None:
    """Held against the fields that prediction does read, so that no mark is set by mistake."""
    seen: set[str] = set()
    windows = {"test_mode": "slide", "crop_size": (8, 8), "stride": (4, 4)}
    for fields in ({}, {"test_size": (12, 16)}, windows, {**windows, "average": "probabilities"}):
        card: Any = Read(dataclasses.replace(CARD, **fields), seen)
        labels(nn.Conv2d(3, 3, 1), np.zeros((1, 9, 13, 3), np.uint8), card)
    assert seen | BUILT == {*label_fields()}
