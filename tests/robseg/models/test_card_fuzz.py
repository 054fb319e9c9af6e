"""A wrong card is refused in a line, whether from a file or from Python; what is accepted can be used."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reports.run.record import ModelRecord, RunRecord
from robseg.errors import InputError
from robseg.models import Card, load_model
from robseg.models.architectures.enet import ENet
from robseg.models.card_fields import fields_in
from robseg.models.catalogue import card_to_json, read_card
from tests.mutations import DEPTHS, NUMBERS, fuzz, mutated, nested
from tests.reports.synthetic import RECORD

CARD = Card(
    "mine", "enet", "toy", ("a", "b", "c"), test_size=(16, 24), test_mode="slide", crop_size=(16, 16),
    stride=(8, 8), flip=True, published_miou=0.5, published_interval=(0.4, 0.6),
    seen_corruptions=("fog",), weights_urls=("https://example.com/a.pth",),
)  # fmt: skip
RAW = json.loads(card_to_json(CARD))
IMAGES = np.zeros((1, 16, 24, 3), np.uint8)
LARGE = ("test_size", "crop_size", "size_divisor")  # which would take the time and memory that they say


def answer(images: torch.Tensor) -> torch.Tensor:
    return images


def use(card: Any, folder: Path) -> None:
    """Predict with a model of that card, and write and read the record of a run of it."""
    model = load_model(answer, card=card)
    if all(getattr(model.card, name) == getattr(CARD, name) for name in LARGE):
        model.predict(IMAGES)
    record = ModelRecord(model.name, dataclasses.asdict(model.card), model.identity, None)
    (folder / "run.json").write_text(dataclasses.replace(RECORD, models=(record,)).to_json(), "utf-8")
    assert RunRecord.load(folder).models[0].card == dataclasses.asdict(model.card)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_wrong_card_file_is_refused_or_can_be_used(number: int, tmp_path: Path) -> None:
    file = tmp_path / "card.json"

    def read(raw: Any) -> None:
        file.write_text(json.dumps(raw))
        use(fields_in(file), tmp_path)
        read_card(file)

    read(RAW)
    fuzz(number, mutated(RAW), read)


@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_fields_of_a_python_call_are_refused_or_can_be_used(number: int, tmp_path: Path) -> None:
    fuzz(number, mutated(RAW), lambda fields: use(fields, tmp_path))


@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_options_of_an_architecture_are_refused(number: int) -> None:
    state = ENet(3).state_dict()
    raw = {"options": {"generation": 2016}, "architecture": "enet", "size_divisor": 8, "mean": RAW["mean"]}
    fuzz(number // 10, mutated(raw), lambda fields: load_model("enet", state, card=fields))


@pytest.mark.parametrize("value", [object(), np.zeros(3), {1, 2}, {1: 2}, float("nan"), b"a", lambda: None])
def test_an_option_is_what_a_file_can_hold(value: object) -> None:
    with pytest.raises(InputError, match=r"Expected `card\.options\.a"):
        load_model(answer, card={"options": {"a": [value]}})


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_nested_card_is_refused(depth: int, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(f'{{"options": {{"a": {nested(depth)}}}}}')
    with pytest.raises(InputError, match="card"):
        load_model(answer, card=fields_in(tmp_path / "card.json"))
    with pytest.raises(InputError, match=r"card\.json"):
        read_card(tmp_path / "card.json")
