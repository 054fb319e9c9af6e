"""What a prediction costs: layers in one pass against one by one, and all that is not the network."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reports.run.tally import Prediction
from reports.tallies import find
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.model import Model
from robseg.models.predict import fused
from robseg.models.predict.inference import Precision, predicted, preprocess
from robseg.models.predict.resizing import resize
from robseg.options import read_toml
from robseg.training.recipe_file import recipe_path

NAMES = tuple("abcdefghijk")
ROUNDS = 5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["icnet", "deeplabv3plus", "pspnet", "ocrnet"])
def test_a_prediction(benchmark: Any, monkeypatch: Any, name: str, precision: Precision) -> None:
    torch.set_num_threads(1)
    options = read_toml(recipe_path(f"{name}-camvid"))["options"]
    network = architecture(name).build(len(NAMES), **options)
    network = network.eval().to(memory_format=torch.channels_last)
    card = Card("", name, "", NAMES)
    model = Model(card, network, "", torch.device("cpu"), precision)
    images = np.random.default_rng(0).integers(0, 256, (1, 360, 480, 3), np.uint8)
    # In turns, so that what else the machine does slows both alike; the first of each is a warm-up.
    seconds = []
    for _ in range(ROUNDS + 1):
        with monkeypatch.context() as patch:
            patch.setattr(fused, "_kernel", lambda: None)
            apart = cpu_seconds(model, images)
        seconds.append((apart, cpu_seconds(model, images)))
    before, after = (statistics.median(column) for column in zip(*seconds[1:], strict=True))
    benchmark.extra_info["fused"] = before / after
    benchmark.pedantic(model.predict, args=(images,), rounds=ROUNDS)


class Free(torch.nn.Module):
    """A network that costs nothing."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        logits = torch.randn(1, 19, 1024 // stride, 2048 // stride, generator=torch.manual_seed(0))
        self.logits = logits.contiguous(memory_format=torch.channels_last)

    def forward(self, _: Tensor) -> Tensor:
        return self.logits


@pytest.mark.parametrize("stride", [8, 4, 1])
def test_all_but_the_network(benchmark: Any, stride: int) -> None:
    """Preprocessing, from logits to labels, and counting, against torch's operations one by one."""
    torch.set_num_threads(1)
    card = Card("", "enet", "", tuple("abcdefghijklmnopqrs"))
    rng = np.random.default_rng(0)
    images, target = (
        rng.integers(0, 256, (1, 1024, 2048, 3), np.uint8),
        rng.integers(0, 19, (1024, 2048), np.uint8),
    )
    network, count = Free(stride), find("confusion").count

    def counted() -> None:
        labels = predicted(network, images, card).labels
        count(Prediction(labels[0]), target, 19)

    def by_torch() -> None:
        scores = resize(network(preprocess(images, card)), (1024, 2048))
        labels = scores.argmax(dim=1).to(torch.uint8).numpy()
        count(Prediction(labels[0]), target, 19)

    seconds = [(cpu_time(by_torch), cpu_time(counted)) for _ in range(ROUNDS + 1)]
    before, after = (statistics.median(column) for column in zip(*seconds[1:], strict=True))
    benchmark.extra_info["one pass"] = before / after
    benchmark.pedantic(counted, rounds=ROUNDS)


def cpu_seconds(model: Model, images: Any) -> float:
    return cpu_time(lambda: model.predict(images))


def cpu_time(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
