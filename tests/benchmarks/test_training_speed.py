"""How long a training step takes with the layers of `robseg.training.quick`, against torch's own."""

import statistics
import time
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from robseg.models.base import Network, architecture
from robseg.options import read_toml
from robseg.training.losses import network_loss
from robseg.training.quick import quicken
from robseg.training.recipe import Recipe
from robseg.training.recipe_file import recipe_path

CLASSES, ROUNDS = 11, 3


@pytest.mark.parametrize("name", ["enet", "icnet", "deeplabv3plus", "pspnet", "ocrnet"])
def test_a_training_step(benchmark: Any, name: str) -> None:
    torch.set_num_threads(1)
    recipe = Recipe(**{**read_toml(recipe_path(f"{name}-camvid")), "batch_size": 4})
    plain, quick = (
        architecture(name).build(CLASSES, **recipe.options).to(memory_format=torch.channels_last).train()
        for _ in range(2)
    )
    quicken(quick)
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.standard_normal((4, 3, *recipe.crop), np.float32))
    images = images.to(memory_format=torch.channels_last)
    targets = torch.from_numpy(rng.integers(0, CLASSES, (4, *recipe.crop), np.uint8))
    # In turns, so that what else the machine does slows both alike; the first of each is a warm-up.
    seconds = [
        [cpu_seconds(net, recipe, images, targets) for net in (plain, quick)] for _ in range(ROUNDS + 1)
    ]
    before, after = (statistics.median(column) for column in zip(*seconds[1:], strict=True))
    benchmark.extra_info["quick"] = before / after
    benchmark.pedantic(step, args=(quick, recipe, images, targets), rounds=ROUNDS)


def cpu_seconds(network: Network, recipe: Recipe, images: Tensor, targets: Tensor) -> float:
    started = time.process_time()
    step(network, recipe, images, targets)
    return time.process_time() - started


def step(network: Network, recipe: Recipe, images: Tensor, targets: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
        heads = network.heads(images)
    network_loss(heads, targets, torch.ones(CLASSES), recipe).backward()
