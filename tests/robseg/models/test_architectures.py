"""What holds for every architecture, from its registration on."""

import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from robseg.models import Model, load_model
from robseg.models.base import architecture
from robseg.models.catalogue import ARCHITECTURES
from robseg.models.checkpoints.weights import COUNTER, read_weights, save_weights
from robseg.models.predict.inference import preprocess

every_architecture = pytest.mark.parametrize("name", tuple(ARCHITECTURES))


def scene(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return images of coloured squares under noise."""
    rng = np.random.default_rng(5)
    squares = rng.integers(0, 200, (count, -(-height // 32), -(-width // 32), 3)).repeat(32, 1).repeat(32, 2)
    noise = rng.integers(0, 56, (count, height, width, 3))
    return (squares[:, :height, :width] + noise).astype(np.uint8)


def untrained(name: str, num_classes: int = 8) -> Model:
    """Return a seeded model whose pixels differ, with a small encoder if it takes any."""
    build = architecture(name).build
    options = {"backbone": "mobilenet_v2"} if "backbone" in inspect.signature(build).parameters else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(num_classes, **options)
        # Norms take the statistics of a batch: signals would fade in a deep new network.
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
        with torch.no_grad():
            network.train().heads(torch.from_numpy(scene(2, 96, 96)).permute(0, 3, 1, 2) / 60 - 2)
        for norm in norms:
            norm.num_batches_tracked.zero_()
    return load_model(name, network.state_dict())


@every_architecture
def test_a_module_is_named_after_its_architecture(name: str) -> None:
    assert architecture(name).name == name


@every_architecture
@pytest.mark.parametrize("size", [(65, 129), (97, 131)])
def test_odd_sizes_are_labelled_at_their_own_size(name: str, size: tuple[int, int]) -> None:
    model, images = untrained(name), scene(1, *size)
    labels = model.predict(images)
    assert labels.shape == (1, *size)
    assert labels.dtype == np.uint8
    with torch.inference_mode():
        logits = model.network(preprocess(images, model.card))
    assert (logits.std(dim=(2, 3)) > 1e-3 * logits.abs().max()).all()


@every_architecture
def test_an_image_has_the_same_labels_alone_and_in_a_batch(name: str) -> None:
    model, images = untrained(name), scene(3, 65, 129)
    alone = np.concatenate([model.predict(image[None]) for image in images])
    # Sums are not taken in the same order: a pixel between two classes may change sides.
    assert (model.predict(images) != alone).mean() < 1e-3


@every_architecture
def test_predicting_twice_gives_the_same(name: str) -> None:
    model, images = untrained(name), scene(1, 64, 64)
    np.testing.assert_array_equal(model.predict(images), model.predict(images))


@every_architecture
def test_memory_formats_agree(name: str) -> None:
    model = untrained(name)
    x = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        last = model.network(x.contiguous(memory_format=torch.channels_last))
        first = model.network.to(memory_format=torch.contiguous_format)(x)
    assert ((last - first).abs().max() / first.abs().max()).item() < 1e-4


@every_architecture
def test_bfloat16_gives_nearly_the_same_labels(name: str) -> None:
    model, images = untrained(name), scene(1, 64, 64)
    half = dataclasses.replace(model, precision="bf16").predict(images)
    # Chance weights leave many pixels between two classes.
    assert (half == model.predict(images)).mean() > 0.7


@every_architecture
def test_weights_in_half_precision_come_back(name: str, tmp_path: Path) -> None:
    model = untrained(name)
    path = tmp_path / "small.safetensors"
    card = save_weights(path, model.network.state_dict(), model.card)
    back = load_model(name, path)
    assert back.card == dataclasses.replace(card, id=f"{name}:small", options=model.card.options)
    assert back.sha256 == card.sha256
    for key, tensor in model.network.state_dict().items():
        torch.testing.assert_close(back.network.state_dict()[key], tensor, rtol=1e-3, atol=1e-6)


@every_architecture
def test_every_tensor_is_saved_and_used(name: str, tmp_path: Path) -> None:
    model = untrained(name)
    own = {key for key in model.network.state_dict() if not key.endswith(COUNTER)}
    save_weights(tmp_path / "w.safetensors", model.network.state_dict(), model.card, half=False)
    saved = read_weights(tmp_path / "w.safetensors")
    assert saved.keys() == own
    fitting = architecture(name).fit(saved)
    assert fitting.state_dict.keys() == model.network.state_dict().keys()
    for key, tensor in model.network.state_dict().items():
        assert torch.equal(fitting.state_dict[key], tensor), key
