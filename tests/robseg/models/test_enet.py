"""ENet agrees with the network that its published files were trained in."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robseg.models.base import ARCHITECTURES, Fit
from robseg.models.enet import fit

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
    network = ARCHITECTURES["enet"].build(fitting.num_classes, **fitting.options)
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
