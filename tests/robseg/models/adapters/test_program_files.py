"""ONNX, torch.export and TorchScript files tell what they take."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.adapters import adapter_of
from robseg.models.architectures.enet import ENet


def test_the_sizes_of_a_program_stand_on_its_card(
    saved: Any, make_onnx: Callable[..., None], tmp_path: Path
) -> None:
    assert load_model(f"pt2:{saved['fixed.pt2']}").card.test_size == (64, 96)
    dynamic = load_model(f"pt2:{saved['dynamic.pt2']}").card
    assert (dynamic.test_size, dynamic.size_divisor) == (None, 2)
    make_onnx(tmp_path / "fixed.onnx", 1, 64, 96)
    assert load_model(f"onnx:{tmp_path / 'fixed.onnx'}").card.test_size == (64, 96)


def test_a_program_of_one_batch_takes_any(make_onnx: Callable[..., None], tmp_path: Path) -> None:
    images = np.random.default_rng(2).integers(0, 256, (5, 64, 96, 3), dtype=np.uint8)
    make_onnx(tmp_path / "any.onnx", "n", "h", "w")
    expected = load_model(f"onnx:{tmp_path / 'any.onnx'}").predict(images)
    for batch in (1, 2, 4):
        make_onnx(tmp_path / "fixed.onnx", batch, 64, 96)
        np.testing.assert_array_equal(load_model(f"onnx:{tmp_path / 'fixed.onnx'}").predict(images), expected)


def test_a_graph_of_bytes_gets_bytes(make_onnx: Callable[..., None], tmp_path: Path) -> None:
    image = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    make_onnx(tmp_path / "bytes.onnx", "n", "h", "w", kind="UINT8")
    make_onnx(tmp_path / "float.onnx", "n", "h", "w")
    expected = load_model(f"onnx:{tmp_path / 'float.onnx'}", card={"std": (1, 1, 1)}).predict(image)
    np.testing.assert_array_equal(load_model(f"onnx:{tmp_path / 'bytes.onnx'}").predict(image), expected)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float64, torch.bfloat16])
def test_a_program_gets_the_numbers_that_it_takes(
    dtype: torch.dtype, tmp_path: Path, images: NDArray[np.uint8]
) -> None:
    program = torch.export.export(torch.nn.Identity(), (torch.zeros(2, 3, 64, 96, dtype=dtype),))
    torch.export.save(program, tmp_path / "typed.pt2")
    model = load_model(f"pt2:{tmp_path / 'typed.pt2'}", class_names=("a", "b", "c"))
    assert model.card.std == ((1.0,) * 3 if dtype is torch.uint8 else (255.0,) * 3)
    seen = model.network.model(torch.from_numpy(images).permute(0, 3, 1, 2).float())  # type: ignore[operator]
    assert seen.dtype == dtype


def test_a_graph_may_answer_labels(
    make_onnx: Callable[..., None], tmp_path: Path, images: NDArray[np.uint8]
) -> None:
    make_onnx(tmp_path / "logits.onnx", "n", "h", "w")
    make_onnx(tmp_path / "labels.onnx", "n", "h", "w", labels=True)
    logits = load_model(f"onnx:{tmp_path / 'logits.onnx'}")
    labels = load_model(f"onnx:{tmp_path / 'labels.onnx'}", class_names=("a", "b", "c"))
    coarse = logits.network(torch.from_numpy(images / 255).permute(0, 3, 1, 2).float()).argmax(1)
    assert (labels.predict(images)[:, ::2, ::2] == coarse.numpy()).mean() > 0.999


@pytest.mark.parametrize(
    ("names", "output", "warned"),
    [
        (("aux", "out"), None, False),
        (("a", "b"), "b", False),
        (("a", "b"), 1, False),
        (("b", "a"), None, True),
    ],
)
def test_the_output_of_a_graph_is_known_by_its_name_or_chosen(
    names: tuple[str, str],
    output: int | str | None,
    warned: bool,
    tmp_path: Path,
    images: NDArray[np.uint8],
    caplog: pytest.LogCaptureFixture,
) -> None:
    helper = pytest.importorskip("onnx.helper")
    import onnx

    main, auxiliary = ("b", "a") if "out" not in names else ("out", "aux")
    nodes = [helper.make_node("Identity", ["x"], [main]), helper.make_node("Neg", ["x"], [auxiliary])]
    value = functools.partial(
        helper.make_tensor_value_info, elem_type=onnx.TensorProto.FLOAT, shape=["n", 3, "h", "w"]
    )
    graph = helper.make_graph(nodes, "two", [value("x")], [value(name) for name in names])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(tmp_path / "two.onnx"))
    model = load_model(str(tmp_path / "two.onnx"), card={"output": output})
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))
    assert [f"output {names[0]!r} of b, a" in one.getMessage() for one in caplog.records] == [True] * warned


def test_files_are_known_by_their_ending() -> None:
    assert adapter_of("model.pt2") == ("pt2", "model.pt2")
    assert adapter_of("model.ts") == ("ts", "model.ts")
    assert adapter_of("model.onnx") == ("onnx", "model.onnx")
    assert adapter_of("model.torchscript") == ("ts", "model.torchscript")
    assert adapter_of("MODEL.ONNX") == ("onnx", "MODEL.ONNX")
    assert adapter_of("A.TorchScript") == ("ts", "A.TorchScript")
    assert adapter_of("ts:A.PT") == ("ts", "A.PT")
    assert adapter_of("model.pt") is None
    assert adapter_of("A.PT") is None
    assert adapter_of("enet@streets") is None


@pytest.mark.parametrize("prefix", ["onnx", "pt2", "ts"])
def test_a_missing_or_other_file_is_reported(prefix: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "other"
    with pytest.raises(InputError, match="no such file"):
        load_model(f"{prefix}:{path}")
    path.write_bytes(b"no program at all")
    with pytest.raises(InputError, match=r"to be .*, but got \w+.*again"):
        load_model(f"{prefix}:{path}")
    with pytest.raises(InputError, match="leave --weights out"):
        load_model(f"{prefix}:{path}", {"a": torch.zeros(1)})


def test_other_inputs_are_reported(make_onnx: Callable[..., None], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    make_onnx(tmp_path / "grey.onnx", "n", "h", "w")
    graph = onnx.load(str(tmp_path / "grey.onnx"))
    graph.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    onnx.save(graph, str(tmp_path / "grey.onnx"))
    with pytest.raises(InputError):
        load_model(f"onnx:{tmp_path / 'grey.onnx'}")
    program = torch.export.export(torch.nn.Conv2d(1, 2, 1), (torch.zeros(1, 1, 8, 8),))
    torch.export.save(program, tmp_path / "grey.pt2")
    with pytest.raises(InputError, match=r"\(N, 3, H, W\), but it takes \(1, 1, 8, 8\)"):
        load_model(f"pt2:{tmp_path / 'grey.pt2'}")


def test_weights_beside_a_graph_count_into_its_digest(make_onnx: Callable[..., None], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    make_onnx(tmp_path / "whole.onnx", "n", "h", "w")
    digests = []
    for scale in (1, 2):
        graph = onnx.load(str(tmp_path / "whole.onnx"))
        weight = onnx.numpy_helper.to_array(graph.graph.initializer[0])
        graph.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(scale * weight, "0.weight"))
        beside = {"save_as_external_data": True, "location": "data.bin", "size_threshold": 0}
        onnx.save(graph, str(tmp_path / "parts.onnx"), **beside)
        digests.append(load_model(f"onnx:{tmp_path / 'parts.onnx'}").sha256)
        (tmp_path / "data.bin").unlink()
    assert digests[0] != digests[1]
    assert load_model(f"onnx:{tmp_path / 'whole.onnx'}").parameters == 127


def test_a_weights_file_in_upper_case_is_read_and_no_model_by_itself(tmp_path: Path) -> None:
    state = ENet(3).state_dict()
    torch.save(state, tmp_path / "A.PTH")
    safetensors.torch.save_file(state, tmp_path / "A.SAFETENSORS")
    for file in (tmp_path / "A.PTH", tmp_path / "A.SAFETENSORS"):
        assert load_model("enet", file, class_names=("a", "b", "c")).card.id == "enet:A"
        with pytest.raises(InputError, match=f"got the weights file .*{file.suffix}: name its architecture"):
            load_model(str(file))
