import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from robseg.cli.commands.train import command as train
from robseg.errors import InputError
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.catalogue import read_card
from robseg.models.checkpoints.weights import save_weights
from robseg.training.recipe import Recipe
from robseg.training.start import open_start

ENET = architecture("enet")
STREETS = open_start(ENET, "enet@streets")
SMALL_PSPNET = {"backbone": "mobilenet_v2", "channels": 8, "aux_channels": 8, "output_stride": 16}


def run(camvid: Path, out: Path, *arguments: object) -> Result:
    """Train an ENet for a moment, from arguments beside those."""
    data = ("--model", "enet", "--dataset", "camvid", "--data-root", camvid)
    small = ("--batch-size", 2, "--crop", 32, 32, "--epochs", 1)
    return CliRunner().invoke(train, [str(a) for a in (*data, *small, "--out", out, *arguments)])


def test_a_training_starts_from_a_model_and_its_card_says_so(camvid: Path, tmp_path: Path) -> None:
    still = ("--learning-rate", 1e-9, "--weight-decay", 0)
    result = run(camvid, tmp_path / "out", "--start", "enet@streets", *still)
    assert result.exception is None, result.output
    trained = load_file(tmp_path / "out" / "enet@camvid.safetensors")
    for key, tensor in trained.items():
        if "running" not in key:
            torch.testing.assert_close(tensor.float(), STREETS.tensors[key], atol=1e-5, rtol=1e-2)
    card = json.loads((tmp_path / "out" / "enet@camvid.json").read_text())
    assert card["source"].endswith(f"; it started from: {STREETS.card.source}")
    assert "start enet@streets" not in card["source"]  # the card names it once, and a file's path never
    assert (
        "camvid train, 3 images; started from enet@streets (streets train, 1000 images" in card["trained_on"]
    )
    assert STREETS.sha256[:12] in card["trained_on"]


def test_other_classes_leave_only_the_classifier_as_it_was() -> None:
    torch.manual_seed(0)
    network = ENET.build(5)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    STREETS.give(network, ENET, Card("", "enet", "", tuple("abcde")))
    kept = {key for key, tensor in network.state_dict().items() if torch.equal(tensor, before[key])}
    taken = {key for key, tensor in network.state_dict().items() if not torch.equal(tensor, before[key])}
    classifier = {
        key for key, tensor in ENET.build(6).state_dict().items() if tensor.shape != before[key].shape
    }
    assert classifier <= kept
    assert {key for key in taken if before[key].ndim > 1} == {
        key for key in before if before[key].ndim > 1 and key not in classifier
    }


def test_as_many_classes_of_other_names_are_other_classes() -> None:
    network = ENET.build(11)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    STREETS.give(network, ENET, Card("", "enet", "", tuple("abcdefghijk")))
    assert torch.equal(network.state_dict()["transposed_conv.weight"], before["transposed_conv.weight"])
    STREETS.give(network, ENET, Card("", "enet", "", STREETS.card.class_names))
    assert not torch.equal(network.state_dict()["transposed_conv.weight"], before["transposed_conv.weight"])


def test_what_the_start_has_seen_stays_seen() -> None:
    noisy = STREETS._replace(card=dataclasses.replace(STREETS.card, seen_corruptions=("fog", "snow")))
    card = noisy.history(Card("", "enet", "", (), seen_corruptions=("fog", "frost")))
    assert card.seen_corruptions == ("fog", "snow", "frost")


def test_a_network_is_built_and_fed_as_what_it_starts_from(camvid: Path, tmp_path: Path) -> None:
    pixels: dict[str, Any] = {"mean": (103.0, 116.0, 123.0), "std": (1.0, 1.0, 1.0), "channel_order": "BGR"}
    card = Card("old", "pspnet", "toy", tuple("abc"), align_corners=True, **pixels)
    card = dataclasses.replace(card, options={**SMALL_PSPNET, "align_corners": True})
    network = architecture("pspnet").build(3, **card.options)
    save_weights(tmp_path / "old.safetensors", network.state_dict(), card)
    names = ("--model", "pspnet", "--start", tmp_path / "old.safetensors")
    result = run(camvid, tmp_path / "out", *names, "--option", "output_stride=32")
    assert result.exception is None, result.output
    trained = read_card(tmp_path / "out" / "pspnet@camvid.json")
    assert {name: getattr(trained, name) for name in pixels} == pixels
    assert trained.align_corners
    assert trained.options == {**card.options, "output_stride": 32}


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model of icnet, but enet@streets is one of\s+enet"):
        open_start(architecture("icnet"), "enet@streets")


def test_another_network_is_refused_with_the_difference(tmp_path: Path) -> None:
    network = ENET.build(3, generation=2018)
    save_weights(tmp_path / "old.safetensors", network.state_dict(), Card("old", "enet", "toy", tuple("abc")))
    start = open_start(ENET, str(tmp_path / "old.safetensors"))
    with pytest.raises(InputError, match="to start from enet:old"):
        start.give(ENET.build(3), ENET, Card("", "enet", "", tuple("abc")))


def test_imagenet_and_a_start_are_one_too_many() -> None:
    with pytest.raises(InputError, match="`pretrained` to be false together with `start`"):
        Recipe("enet", "streets", pretrained=True, start="enet@streets")


def test_a_checkpoint_that_began_elsewhere_is_refused(camvid: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "a.safetensors", dict(STREETS.tensors), STREETS.card)
    assert run(camvid, tmp_path / "out", "--start", tmp_path / "a.safetensors").exception is None
    other = {key: tensor * 2 if tensor.ndim > 1 else tensor for key, tensor in STREETS.tensors.items()}
    save_weights(tmp_path / "a.safetensors", other, STREETS.card)
    with pytest.raises(InputError, match="start_sha256"):
        raise run(camvid, tmp_path / "out", "--start", tmp_path / "a.safetensors").exception
