"""How long a prediction takes with convolution, norm and activation in one pass, against one by one."""

import statistics
import time
from typing import Any

import numpy as np
import pytest
import torch

from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.model import Model
from robseg.models.predict import fused
from robseg.models.predict.inference import Precision
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


def cpu_seconds(model: Model, images: Any) -> float:
    started = time.process_time()
    model.predict(images)
    return time.process_time() - started
