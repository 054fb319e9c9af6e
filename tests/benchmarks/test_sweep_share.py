"""Which share of a sweep's time goes into anything but the networks, with one worker of one thread."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import robseg
from corruptions.verify import photograph
from robseg.evaluation.job import prepare
from robseg.evaluation.request import Request
from robseg.evaluation.store import Done
from robseg.evaluation.worker import Worker, stored
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.model import Model
from robseg.options import read_toml
from robseg.pipeline import shards_left
from robseg.training.recipe_file import recipe_path

CLASSES = tuple("abcdefghijklmnopqrs")


class Timed(torch.nn.Module):
    """A network that adds up its own CPU time."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seconds = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        started = time.process_time()
        logits: torch.Tensor = self.network(x)
        self.seconds += time.process_time() - started
        return logits


@pytest.mark.parametrize("size", [(360, 480), (1024, 2048)])
@pytest.mark.parametrize("name", ["enet", "deeplabv3plus"])
def test_a_sweep(benchmark: Any, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    torch.set_num_threads(1)
    options = read_toml(recipe_path(f"{name}-camvid")).get("options", {})
    network = architecture(name).build(len(CLASSES), **options).eval()
    timed = Timed(network.to(memory_format=torch.channels_last))
    model = Model(Card("", name, "", CLASSES, size_divisor=8), timed, "", torch.device("cpu"))
    targets = np.random.default_rng(0).integers(0, len(CLASSES), (1, size[0] // 8, size[1] // 8))
    data = robseg.as_dataset((photograph(*size)[None], targets.repeat(8, 1).repeat(8, 2)), CLASSES)
    job = prepare(Request(model, data, "all", (3,)))

    def sweep() -> None:
        list(stored(job, tmp_path, Worker(job).run(shards_left(job, Done(set(), {})))))

    sweep()  # compiles
    timed.seconds = 0.0
    started = time.process_time()
    benchmark.pedantic(sweep)
    benchmark.extra_info["outside the network"] = 1 - timed.seconds / (time.process_time() - started)
