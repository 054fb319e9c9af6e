"""One tiny network, saved in every form in which other people keep theirs."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

SEED = 26  # of a network that finds each class in a fair share of noise


def tiny_network() -> nn.Sequential:
    """A seeded network of three classes at half the size."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 3, 1)).eval()


@pytest.fixture
def network() -> nn.Sequential:
    return tiny_network()


@pytest.fixture(scope="session")
def images() -> NDArray[np.uint8]:
    """Two images whose sides are multiples of 32, for who needs them."""
    return np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)


@dataclasses.dataclass(frozen=True)
class Saved:
    """The tiny network in files; `fixed` are those that take one image of 64x96."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """dynamic.pt2, fixed.pt2, traced.pt and weights.pth."""
    folder = tmp_path_factory.mktemp("saved")
    network = tiny_network()
    image = torch.zeros(1, 3, 64, 96)
    half = (2 * torch.export.Dim("rows"), 2 * torch.export.Dim("columns"))
    shapes = ({0: torch.export.Dim("batch"), 2: half[0], 3: half[1]},)
    dynamic = torch.export.export(network, (image.expand(2, -1, -1, -1),), dynamic_shapes=shapes)
    torch.export.save(dynamic, folder / "dynamic.pt2")
    torch.export.save(torch.export.export(network, (image,)), folder / "fixed.pt2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, and still what people have
        torch.jit.save(torch.jit.trace(network, image), folder / "traced.pt")
    torch.save(network.state_dict(), folder / "weights.pth")
    return Saved(folder)


@pytest.fixture(scope="session")
def make_onnx() -> Callable[..., None]:
    """Return the writer of the tiny network as an ONNX file that takes `sides` (N, H, W), names if open."""
    helper = pytest.importorskip("onnx.helper")
    import onnx

    def write(path: Path, *sides: int | str, kind: str = "FLOAT", labels: bool = False) -> None:
        tensors = tiny_network().state_dict()
        shape = [sides[0], 3, *sides[1:]]
        first = ["bytes" if kind == "UINT8" else "images", "0.weight", "0.bias"]
        nodes = [
            helper.make_node("Conv", ["images", *first[1:]], ["hidden"], strides=[2, 2], pads=[1] * 4),
            helper.make_node("Relu", ["hidden"], ["positive"]),
            helper.make_node("Conv", ["positive", "2.weight", "2.bias"], ["logits"]),
        ]
        if kind == "UINT8":
            nodes.insert(0, helper.make_node("Cast", ["bytes"], ["images"], to=onnx.TensorProto.FLOAT))
        output = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 3, "h", "w"])
        if labels:
            nodes.append(helper.make_node("ArgMax", ["logits"], ["labels"], axis=1))
            output = helper.make_tensor_value_info("labels", onnx.TensorProto.INT64, ["n", 1, "h", "w"])
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info(first[0], getattr(onnx.TensorProto, kind), shape)],
            [output],
            [onnx.numpy_helper.from_array(tensor.numpy(), key) for key, tensor in tensors.items()],
        )
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))

    return write
