"""A network's tensors are found in what training programs save around them, and no other network's are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.architectures.enet import ENet
from robseg.models.checkpoints.weights import sha256_of_tensors

STATE = ENet(3).state_dict()
ONE = torch.ones(1)


def under(prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{key}": tensor for key, tensor in STATE.items()}


def compiled_inside() -> dict[str, Tensor]:
    return {
        key.replace("initial_block.", "initial_block._orig_mod.module."): one for key, one in STATE.items()
    }


WRAPPED: dict[str, Callable[[], dict[str, Any]]] = {
    "lightning": lambda: {"epoch": 9, "state_dict": under("model.") | {"mean": ONE, "loss.weight": ONE}},
    "net": lambda: {"state_dict": under("net.")},
    "compiled": lambda: under("module._orig_mod.model."),
    "compiled inside": compiled_inside,
    "averaged": lambda: {"n_averaged": torch.tensor(3)} | under("module."),
    "ema": lambda: {"step": 3, "ema": {"decay": 0.9, "params": STATE}},
    "optimizer": lambda: {"weights": STATE, "optimizer": {"state": {0: {"exp_avg": ONE}}}},
    "loss": lambda: {"model": STATE, "criterion": {"weight": ONE}},
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_network_is_found_in_what_wraps_it(kind: str, tmp_path: Path) -> None:
    torch.save(WRAPPED[kind](), tmp_path / "x.ckpt")
    model = load_model("enet", tmp_path / "x.ckpt")
    assert sha256_of_tensors(model.network.state_dict()) == sha256_of_tensors(STATE)


def test_what_was_taken_off_and_left_out_is_said(caplog: pytest.LogCaptureFixture) -> None:
    load_model("enet", WRAPPED["lightning"]())
    assert [record.getMessage() for record in caplog.records] == [
        "Of the given state dict, the tensors under 'model.' are those of the network; 2 others are left out "
        "(mean, loss.weight)."
    ]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"state_dict": STATE, "state_dict_ema": STATE}, "'state_dict.' and 'state_dict_ema.'"),
        ({"state_dict": under("online_model.") | under("ema_model.")}, "'online_model.' and 'ema_model.'"),
    ],
)
def test_of_two_networks_that_fit_both_are_named(content: dict[str, Any], names: str) -> None:
    with pytest.raises(InputError, match=f"several, under {names}: save one of them alone"):
        load_model("enet", content)


def test_another_network_is_refused() -> None:
    other = {key: tensor for key, tensor in under("model.").items() if "initial_block" not in key}
    for content in (other, {"state_dict": other}, {"state_dict": {**STATE, "loss.weight": ONE}}):
        with pytest.raises(InputError, match="its tensors do not fit"):
            load_model("enet", content)


def test_adapters_find_wrapped_networks_too() -> None:
    torchvision = pytest.importorskip("torchvision")
    options = {"weights": None, "weights_backbone": None, "num_classes": 3}
    state = torchvision.models.get_model("lraspp_mobilenet_v3_large", **options).state_dict()
    wrapped = {f"model.{key}": tensor for key, tensor in state.items()}
    model = load_model("torchvision:lraspp_mobilenet_v3_large", wrapped | {"mean": ONE})
    assert len(model.card.class_names) == 3
