"""A user's card, or some fields of one, stand above what is known of a model."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from robseg.errors import InputError
from robseg.models import Card, load_model
from robseg.models.architectures.enet import ENet
from robseg.models.card_fields import card_fields, fields_in

NAMES = ("red", "green", "blue")
MINE = Card("mine", "own", "toy", NAMES, mean=(1.0, 2.0, 3.0), test_size=(32, 48))


def answer(images: torch.Tensor) -> torch.Tensor:
    return images


def test_a_whole_card_replaces_a_models_own() -> None:
    card = load_model(answer, card=MINE).card
    code = load_model(answer).card.options["code"]
    assert card == dataclasses.replace(MINE, options={"code": code})


def test_fields_leave_the_others_alone() -> None:
    card = load_model(answer, card={"id": "a", "std": [1, 2, 3]}, class_names=NAMES).card
    assert (card.id, card.std, card.mean, card.class_names) == ("a", (1, 2, 3), (0.0, 0.0, 0.0), NAMES)


def test_fields_of_architectures_of_ours_can_be_given() -> None:
    names = tuple(f"n{index}" for index in range(3))
    model = load_model("enet", ENet(3).state_dict(), card={"class_names": names, "test_size": [64, 64]})
    assert (model.card.class_names, model.card.test_size) == (names, (64, 64))
    with pytest.raises(InputError, match="to name its 3 classes, but got 2"):
        load_model("enet", ENet(3).state_dict(), card={"class_names": ["a", "b"]})


def test_a_file_may_hold_some_fields(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text('{"class_names": ["red", "green", "blue"], "crop_size": null}')
    fields = card_fields(fields_in(path))
    assert fields == {"class_names": NAMES, "crop_size": None}


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_file_of_something_else_is_reported(text: str, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InputError, match="Expected a card's fields"):
        fields_in(tmp_path / "card.json")
    with pytest.raises(InputError, match="Expected a card's fields"):
        fields_in(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clas_names": NAMES}, "did you mean 'class_names'"),
        ({"class_names": "road"}, "`card.class_names` to be names, but got 'road'"),
        ({"class_names": ["a", "a"]}, "`card.class_names` to be distinct names"),
        ({"class_names": ["a", 3]}, r"`card.class_names\[1\]` to be text, but got 3"),
        ({"mean": 3}, "`card.mean` to be 3 numbers from -65536 to 65536, but got 3"),
        ({"mean": [1, 2]}, "`card.mean` to be 3 numbers"),
        ({"mean": [1, 2, True]}, r"`card.mean\[2\]` to be a number from -65536 to 65536, but got True"),
        ({"std": [1, 0, 1]}, r"`card.std\[1\]` to be a number of at most 65536 and above 0, but got 0"),
        ({"test_size": 512}, "`card.test_size` to be 2 whole numbers from 1 to 65536"),
        ({"test_size": [0, 3]}, r"`card.test_size\[0\]` to be a whole number from 1 to 65536"),
        ({"size_divisor": 0}, "`card.size_divisor` to be a whole number from 1 to 65536"),
        ({"channel_order": "GBR"}, "`card.channel_order` to be RGB or BGR"),
        ({"options": 3}, "`card.options` to be a table"),
    ],
)
def test_wrong_fields_are_reported(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(answer, card=fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        {"mean": [0.485, 0.456, 0.406]},
        {"std": [0.5, 0.5, 0.5]},
        {"mean": [123.675, 116.28, 103.53], "std": [0.229, 0.224, 0.225]},
        {"mean": [0.485, 0.456, 0.406], "std": [58.395, 57.12, 57.375]},
    ],
)
def test_a_mean_or_std_between_0_and_1_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"on the scale 0\.\.255, but got mean .* on the scale 0\.\.1"):
        load_model(answer, card=fields)
    with pytest.raises(InputError, match=r"on the scale 0\.\.1"):
        load_model("enet", ENet(3).state_dict(), card=fields)


def test_the_card_of_a_factory_is_checked_too() -> None:
    def model(images: torch.Tensor) -> torch.Tensor:
        return images

    model.card = dataclasses.replace(MINE, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"on the scale 0\.\.1"):
        load_model(model)


@pytest.mark.parametrize(
    "fields", [{"std": [1, 1, 1]}, {"mean": [0, 0, 0]}, {"mean": [0, 0, 104], "std": [1, 1, 1]}]
)
def test_bytes_as_they_are_are_a_scale_too(fields: dict[str, Any]) -> None:
    assert load_model(answer, card=fields).card.id == "answer"


def test_options_that_the_model_does_not_have_are_refused() -> None:
    with pytest.raises(InputError, match=r"answer takes, but it does not take depth = 3 \(it has no depth\)"):
        load_model(answer, card={"options": {"depth": 3}})
    with pytest.raises(InputError, match=r"does not take generation = 2018 \(it has generation = 2021\)"):
        load_model("enet", ENet(3).state_dict(), card={"options": {"generation": 2018}})
    with pytest.raises(InputError, match="unexpected keyword argument 'generatoin'"):
        load_model("enet", ENet(3).state_dict(), card={"options": {"generatoin": 2021}})


def test_the_options_of_a_loaded_model_may_be_given_again() -> None:
    card = load_model(answer, class_names=NAMES).card
    assert load_model(answer, card=card).card == card
    card = load_model("enet", ENet(3).state_dict()).card
    assert load_model("enet", ENet(3).state_dict(), card=card).card == card
