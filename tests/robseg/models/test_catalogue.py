"""Cards are found by name without torch, and survive JSON."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from robseg.errors import InputError
from robseg.evaluation.request import Request
from robseg.evaluation.resolve import ModelSource, models
from robseg.models import catalogue
from robseg.models.card import Card

CARD = Card(
    id="enet@toy",
    architecture="enet",
    dataset="toy",
    class_names=("road", "sky"),
    test_size=(360, 480),
    published_miou=0.5,
    options={"generation": 2018},
)


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Card]:
    """Return the cards of a zoo of three, in place of the package's."""
    for dataset in ("camvid", "streets", "toy"):
        name = f"enet@{dataset}"
        card = dataclasses.replace(CARD, id=name, dataset=dataset, weights_file=f"{name}.safetensors")
        (tmp_path / f"{card.id}.json").write_text(catalogue.card_to_json(card))
    cards = catalogue._read_zoo(tmp_path)
    monkeypatch.setattr(catalogue, "CARDS", cards)
    return cards


@pytest.mark.parametrize("module", ["robseg.models", "robseg.models.catalogue"])
def test_the_catalogue_does_not_import_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_card_survives_json() -> None:
    assert catalogue.card_from_json(catalogue.card_to_json(CARD), "here") == CARD


def test_an_unknown_field_is_reported_with_the_nearest() -> None:
    text = json.dumps({**dataclasses.asdict(CARD), "clas_names": []})
    with pytest.raises(InputError, match=r"here: Unknown field .*'clas_names': did you mean 'class_names'"):
        catalogue.card_from_json(text, "here")


def test_a_wrong_value_is_reported_with_its_origin() -> None:
    text = json.dumps({**dataclasses.asdict(CARD), "resize": "shrot"})
    with pytest.raises(InputError, match=r"here: .*`card\.resize` to be exact, fit, short, long or bounded"):
        catalogue.card_from_json(text, "here")


def test_a_missing_field_is_reported() -> None:
    with pytest.raises(InputError, match="here to have architecture, class_names, dataset"):
        catalogue.card_from_json('{"id": "x"}', "here")


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_what_is_not_a_card_is_reported(text: str) -> None:
    with pytest.raises(InputError, match="Expected a model card in here"):
        catalogue.card_from_json(text, "here")


def test_an_id_is_found_exactly(zoo: dict[str, Card]) -> None:
    assert catalogue.resolve("enet@toy") is zoo["enet@toy"]


def test_an_architecture_alone_means_the_one_that_needs_no_download(zoo: dict[str, Card]) -> None:
    assert catalogue.resolve("enet").id == "enet@streets"
    assert catalogue.resolve("enet", "cityscapes").id == "enet@streets"


def test_an_architecture_alone_means_the_one_of_the_data_set_at_hand(zoo: dict[str, Card]) -> None:
    assert catalogue.resolve("enet", "camvid").id == "enet@camvid"
    assert models(Request("enet", "camvid")) == (ModelSource("enet@camvid"),)


def test_a_segfix_is_not_a_model_to_evaluate(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = {}
    for name in ("enet", "segfix"):
        id_ = f"{name}@streets"
        file = f"{id_}.safetensors"
        cards[id_] = dataclasses.replace(CARD, id=id_, architecture=name, weights_file=file)
    monkeypatch.setattr(catalogue, "CARDS", cards)
    assert models(Request("all")) == (ModelSource("enet@streets"),)
    assert models(Request("*@streets")) == (ModelSource("enet@streets"),)
    for spec in ("seg*", "segfix", "segfix@streets"):
        with pytest.raises(InputError, match="which is a SegFix: name a model"):
            models(Request(spec))


@pytest.mark.parametrize(
    ("short", "config"),
    [
        ("pspnet_r50@cityscapes", "pspnet_r50-d8_4xb2-80k_cityscapes-512x1024"),
        ("deeplabv3plus_r101@cityscapes", "deeplabv3plus_r101-d8_4xb2-80k_cityscapes-512x1024"),
        ("ocrnet_hr48@cityscapes", "ocrnet_hr48_4xb2-160k_cityscapes-512x1024"),
        ("deeplabv3plus_mv2@voc2012", "deeplabv3plus_mv2-vainf@voc2012"),
    ],
)
def test_a_short_name_means_the_best_published_checkpoint(short: str, config: str) -> None:
    assert catalogue.resolve(short).id == config
    assert catalogue.architecture_of(short) == short.split("_")[0]


@pytest.mark.parametrize("short", ["pspnet_r34@cityscapes", "pspnet_r50@camvid", "pspnet_r50"])
def test_a_short_name_of_nothing_is_reported(short: str) -> None:
    with pytest.raises(InputError, match="Unknown model"):
        catalogue.resolve(short)


def test_cards_are_listed_by_pattern(zoo: dict[str, Card]) -> None:
    assert [card.id for card in catalogue.list_cards("*@?[ao]*")] == ["enet@camvid", "enet@toy"]
    assert len(catalogue.list_cards()) == 3
    assert catalogue.list_cards("pspnet*") == ()


@pytest.mark.parametrize(("spec", "near"), [("enet@stree", "enet@streets"), ("ennet", "enet")])
def test_a_misspelt_model_is_answered_with_the_nearest(zoo: dict[str, Card], spec: str, near: str) -> None:
    with pytest.raises(InputError, match=f"Unknown model '{spec}': did you mean '{near}'"):
        catalogue.resolve(spec)


def test_a_misspelt_architecture_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Unknown model 'ennet': did you mean 'enet'"):
        catalogue.architecture_of("ennet")


def test_an_empty_zoo_asks_for_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "CARDS", catalogue._read_zoo(tmp_path / "none"))
    with pytest.raises(InputError, match="Expected weights for 'enet'"):
        catalogue.resolve("enet")
    assert catalogue.architecture_of("enet") == "enet"
