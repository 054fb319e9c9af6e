"""A small file may declare a tensor of terabytes; it is refused, not allocated."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.architectures.enet import ENet
from robseg.models.checkpoints.weights import read_weights

MANY = 2**40


def safetensors_file(path: Path, end: int) -> Path:
    header = json.dumps({"a": {"dtype": "F32", "shape": [MANY], "data_offsets": [0, end]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    return path


@pytest.mark.parametrize("end", [4, 4 * MANY])
def test_a_safetensors_file_is_as_large_as_it_says(tmp_path: Path, end: int) -> None:
    with pytest.raises(InputError, match=r"Expected a checkpoint in .*a\.safetensors"):
        read_weights(safetensors_file(tmp_path / "a.safetensors", end))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(1, dtype=torch.half).expand(MANY),
        lambda: torch.zeros(1).expand(MANY),
        lambda: torch.empty(MANY, device="meta"),
        lambda: torch.empty(3, device="meta"),
        lambda: torch.zeros(1, 1).to_sparse(),
    ],
)
def test_a_tensor_without_values_of_its_own_is_refused(
    make: Callable[[], Tensor], legacy: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": make()}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(InputError, match=r"Expected .*a\.pth"):
        read_weights(path)


def test_tensors_that_share_values_are_read(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    torch.save({"a": whole, "b": whole[2:], "c": whole[:1].expand(4)}, tmp_path / "a.pth")
    assert read_weights(tmp_path / "a.pth")["c"].tolist() == [0, 0, 0, 0]


def test_a_model_says_so_too(tmp_path: Path) -> None:
    tensors = {key: each.to("meta") for key, each in ENet(2).state_dict().items()}
    torch.save(tensors, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"Expected .*a\.pth to hold dense tensors with values"):
        load_model("enet", tmp_path / "a.pth")
    with pytest.raises(InputError, match="Expected the given state dict to hold dense tensors with values"):
        load_model("enet", tensors)


def test_a_graph_is_as_large_as_it_says(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    images = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 4, 4])
    answer = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 3, 4, 4])
    weight = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[MANY], raw_data=bytes(4))
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "huge", [images], [answer], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"Expected .*a\.onnx"):
        load_model(f"onnx:{tmp_path / 'a.onnx'}")
