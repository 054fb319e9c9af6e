"""ENet agrees with the network that its published files were trained in."""

import json
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.architectures.enet import ARCHITECTURE, ENet, fit
from robseg.models.base import Fit

PARITY = Path(__file__).parents[2] / "data" / "parity"
FIXTURES = {"up_enet_2018_camvid12": 2018, "up_enet_head_cityscapes20": 2021}


def filled(keys: dict[str, Any]) -> dict[str, Tensor]:
    """Return weights that follow from each tensor's key and shape alone (fill crc32-mt19937-v1)."""
    tensors = {}
    for key, (shape, dtype) in keys.items():
        if dtype != "float32":
            tensors[key] = torch.zeros(shape, dtype=torch.long)
            continue
        rng = np.random.RandomState(zlib.crc32(key.encode()))
        size = int(np.prod(shape))
        beside = key.rsplit(".", 1)[0] + ".running_var"
        if key.endswith("running_var"):
            values = rng.uniform(0.5, 1.5, size)
        elif key.endswith(("running_mean", "bias")):
            values = rng.standard_normal(size) * 0.1
        elif len(shape) == 1 and beside in keys:
            values = rng.uniform(0.4, 1.0, size)
        elif len(shape) == 1:
            values = rng.uniform(0.05, 0.4, size)
        else:
            values = rng.standard_normal(size) * np.sqrt(2 / np.prod(shape[1:])) * 0.8
        tensors[key] = torch.from_numpy(values.astype(np.float32).reshape(shape))
    return tensors


def fixture_input(height: int, width: int) -> Tensor:
    """Return the fixtures' input: three scales of seeded blocks, float32 (1, 3, H, W)."""
    rng = np.random.RandomState(7)
    image = np.zeros((3, height, width))
    for scale in (32, 8, 1):
        blocks = rng.standard_normal((3, -(-height // scale), -(-width // scale)))
        image += np.kron(blocks, np.ones((1, scale, scale)))[:, :height, :width]
    return torch.from_numpy((image / np.sqrt(3)).astype(np.float32))[None]


def published(name: str) -> tuple[Fit, dict[str, Any], dict[str, Any]]:
    """Return the fit of a fixture's checkpoint, its facts and its arrays."""
    facts = json.loads((PARITY / f"{name}.json").read_text())
    arrays = dict(np.load(PARITY / f"{name}.npz"))
    return fit(filled(facts["keys"])), facts, arrays


def relative_difference(network: nn.Module, arrays: dict[str, Any]) -> float:
    """Return max |ours - theirs| / max |theirs| over the stored logits."""
    stride = int(arrays["logits_stride"])
    with torch.inference_mode():
        logits = network.eval()(fixture_input(*map(int, arrays["input_hw"])))
    ours = logits[:, :, ::stride, ::stride].numpy()
    return float(np.abs(ours - arrays["logits"]).max() / np.abs(arrays["logits"]).max())


def loaded(fitting: Fit) -> nn.Module:
    network = ARCHITECTURE.build(fitting.num_classes, **fitting.options)
    network.load_state_dict(fitting.state_dict, strict=True)
    return network


@pytest.mark.parametrize(("name", "generation"), FIXTURES.items())
def test_logits_equal_the_published_network(name: str, generation: int) -> None:
    fitting, _, arrays = published(name)
    assert fitting.options == {"generation": generation}
    assert relative_difference(loaded(fitting), arrays) < 1e-5


@pytest.mark.parametrize("name", FIXTURES)
def test_parameters_equal_the_published_number(name: str) -> None:
    fitting, facts, _ = published(name)
    assert sum(p.numel() for p in loaded(fitting).parameters()) == facts["params"]


@pytest.mark.parametrize("name", FIXTURES)
def test_another_epsilon_is_noticed(name: str) -> None:
    fitting, _, arrays = published(name)
    network = loaded(fitting)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    assert relative_difference(network, arrays) > 1e-4


def test_another_pooling_is_noticed() -> None:
    fitting, _, arrays = published("up_enet_head_cityscapes20")
    network = loaded(fitting)
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.kernel_size, module.padding = 3, 1
    assert relative_difference(network, arrays) > 1e-2


def test_published_files_tell_their_classes() -> None:
    camvid, _, _ = published("up_enet_2018_camvid12")
    assert camvid.class_names is not None
    assert camvid.class_names[0] == "sky"
    assert camvid.class_names[10:] == ("bicyclist", "void")
    cityscapes, _, _ = published("up_enet_head_cityscapes20")
    assert cityscapes.class_names is not None
    assert cityscapes.class_names[:2] == ("void", "road")
    assert cityscapes.class_names[-1] == "bicycle"


@pytest.mark.parametrize("generation", [2018, 2021])
def test_our_own_files_tell_their_generation(generation: Literal[2018, 2021]) -> None:
    fitting = fit(ENet(7, generation).state_dict())
    assert (fitting.options, fitting.num_classes) == ({"generation": generation}, 7)
    assert fitting.class_names is None


def test_a_checkpoint_that_does_not_fit_is_told_by_its_tensors() -> None:
    tensors = ENet(5).state_dict()
    del tensors["regular1_1.ext_conv1.0.weight"]
    tensors["backbone.conv1.weight"] = torch.zeros(3)
    tensors["dilated2_2.ext_conv2.0.weight"] = torch.zeros(32, 32, 5, 5)
    with pytest.raises(InputError) as raised:
        fit(tensors)
    message = str(raised.value)
    assert "1 missing (regular1_1.ext_conv1.0.weight)" in message
    assert "1 unexpected (backbone.conv1.weight)" in message
    assert "1 of another shape (dilated2_2.ext_conv2.0.weight [32, 32, 5, 5] instead of" in message


def test_many_misfits_are_counted_and_the_first_ones_named() -> None:
    with pytest.raises(InputError, match=r"\d{3} missing \([^()]*, \.\.\.\); 1 unexpected \(fc\)"):
        fit({"fc": torch.zeros(3)})


def test_the_newer_generation_takes_any_size() -> None:
    images = torch.zeros(1, 3, 37, 53)
    assert ENet(4, 2021).eval()(images).shape == (1, 4, 37, 53)
