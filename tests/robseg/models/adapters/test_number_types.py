"""Models with weights in half, bfloat16 and double precision run as they were saved."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from robseg.models import load_model
from robseg.models.architectures.enet import ENet

NAMES = ("a", "b", "c")
TYPES = (torch.float16, torch.bfloat16, torch.float64)


def expected(network: nn.Module, images: NDArray[np.uint8], dtype: torch.dtype) -> Tensor:
    """The logits, from normalised images of the network's own type."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        logits: Tensor = network(x.to(dtype))
    return logits.float()


@pytest.mark.parametrize("dtype", TYPES)
def test_a_module_gets_images_in_the_type_of_its_weights(
    dtype: torch.dtype, network: nn.Module, images: NDArray[np.uint8]
) -> None:
    network = network.to(dtype)
    model = load_model(network, class_names=NAMES)
    assert model.facts == {"weights": str(dtype).removeprefix("torch.")}
    with torch.no_grad():
        found = model.network(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected(network, images, dtype), atol=2e-3, rtol=0)
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), model.predict(images))


@pytest.mark.parametrize("dtype", TYPES)
def test_torchscript_and_exported_programs_of_any_type_run(
    dtype: torch.dtype, network: nn.Module, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    network = network.to(dtype)
    image = torch.zeros(2, 3, 64, 96, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, and still what people have
        torch.jit.save(torch.jit.trace(network, image), tmp_path / "a.ts")
    torch.export.save(torch.export.export(network, (image,)), tmp_path / "a.pt2")
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    for file in ("a.ts", "a.pt2"):
        model = load_model(str(tmp_path / file), class_names=NAMES, card={"test_size": (64, 96)})
        assert model.facts == {"weights": str(dtype).removeprefix("torch.")}
        with torch.no_grad():
            torch.testing.assert_close(model.network(x), expected(network, images, dtype), atol=2e-3, rtol=0)


class Lacking(nn.Conv2d):
    """A layer that torch cannot compute in half precision."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.float16:
            raise RuntimeError("\"slow_conv\" not implemented for 'Half'")
        return super().forward(x)


def test_what_torch_lacks_in_half_precision_is_computed_in_float32_and_said(
    images: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    layer = Lacking(3, 3, 1).half()
    model = load_model(layer, class_names=NAMES)
    expected_labels = expected(nn.Sequential(layer.float()), images, torch.float32).argmax(1)
    assert (model.predict(images) == expected_labels.numpy()).mean() > 0.999
    model.predict(images)
    assert [record.getMessage() for record in caplog.records] == [
        "Lacking has weights in float16, for which torch lacks an operation here: it is computed in float32."
    ]
    assert model.facts == {}


@pytest.mark.parametrize("dtype", TYPES)
def test_weights_of_any_type_fit_networks_of_known_architectures(
    dtype: torch.dtype, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    other: Any = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    for spec, network in (("enet", ENet(3)), ("torchvision:lraspp_mobilenet_v3_large", other)):
        weights = network.to(dtype).state_dict()
        torch.save(weights, tmp_path / "w.pth")
        given = load_model(spec, weights, class_names=NAMES)
        read = load_model(spec, tmp_path / "w.pth", class_names=NAMES)
        assert given.facts == read.facts == {}
        np.testing.assert_array_equal(given.predict(images), read.predict(images))
