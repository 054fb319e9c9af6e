"""Every network agrees with the implementation that its published weights were trained in."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models import Model, load_model
from robseg.models.base import Network

PARITY = Path(__file__).parents[2] / "data" / "parity"
NAMES = sorted(path.stem for path in PARITY.glob("*.json"))

# The spec that a fixture's name means.
SPECS = {
    "pspnet": "pspnet",
    "deeplabv3plus": "deeplabv3plus",
    "icnet": "icnet",
    "ocrnet": "ocrnet",
    "hrnet_ocr": "ocrnet",
    "enet": "enet",
    "segfix": "segfix",
    "tv_deeplabv3_resnet50": "torchvision:deeplabv3_resnet50",
}

# Deep mmsegmentation networks: all of their parts are in other fixtures too.
DEEP = re.compile(r"mmseg_.*_r(50|101)-")


def spec_of(name: str) -> str:
    return next(spec for part, spec in SPECS.items() if part in name)


@dataclasses.dataclass(frozen=True)
class Case:
    """A fixture, its weights, our model of them, and the logits of all its heads."""

    upstream: Any
    state_dict: dict[str, Tensor]
    model: Model
    heads: tuple[Tensor, ...]


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] if DEEP.match(name) else []) for name in NAMES],
)
def case(request: pytest.FixtureRequest, upstream: Callable[[str], Any]) -> Case:
    """Return a fixture, loaded as a user's checkpoint is."""
    fixture = upstream(request.param)
    state_dict = fixture.state_dict()
    model = load_model(spec_of(request.param), state_dict)
    network = model.network
    with torch.inference_mode():
        heads = network.heads(fixture.image) if isinstance(network, Network) else (network(fixture.image),)
    return Case(fixture, state_dict, model, heads)


def test_logits_equal_upstream(case: Case) -> None:
    assert case.upstream.difference(case.heads[0]) < 1e-5


def test_the_other_heads_equal_upstream(case: Case) -> None:
    if not isinstance(case.model.network, Network):
        pytest.skip("a model of another package, whose only head is the one that predicts labels")
    outputs = [output for output in ("aux0", "aux1") if output in case.upstream.arrays]
    for output, logits in zip(outputs, case.heads[1:], strict=True):
        assert case.upstream.difference(logits, output) < 1e-5, output


def test_forward_gives_the_main_head(case: Case) -> None:
    with torch.inference_mode():
        torch.testing.assert_close(case.model.network(case.upstream.image), case.heads[0])


def test_logits_are_resized_as_upstream_does(case: Case) -> None:
    if case.upstream.align_corners is not None:
        assert case.model.card.align_corners == case.upstream.align_corners
    if "logits_full_every4" in case.upstream.arrays:
        aligned = case.model.card.align_corners
        assert case.upstream.difference_at_full_size(case.heads[0], aligned) < 1e-5


def test_parameters_are_as_many_as_upstream(case: Case) -> None:
    assert case.model.parameters == case.upstream.parameters - case.upstream.folded_biases


def test_a_missing_tensor_is_reported(case: Case) -> None:
    keys = [key for key in case.state_dict if not key.endswith("num_batches_tracked")]
    for key in (keys[0], keys[len(keys) // 2], keys[-1]):
        fewer = {other: tensor for other, tensor in case.state_dict.items() if other != key}
        with pytest.raises(InputError):
            load_model(spec_of(case.upstream.name), fewer)


def test_a_surplus_tensor_is_reported(case: Case) -> None:
    with pytest.raises(InputError, match="surplus"):
        load_model(spec_of(case.upstream.name), {**case.state_dict, "surplus.weight": torch.zeros(3)})
