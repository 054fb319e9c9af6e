"""The ONNX exports of Ultralytics' semantic models describe themselves, and are fed as they say.

The graphs here are our own, of the published layout: no code or model of Ultralytics is used.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.foreign.ultralytics import placed

helper = pytest.importorskip("onnx.helper")
pytest.importorskip("onnxruntime")
import onnx  # noqa: E402

NAMES = {0: "red thing", 1: "green's", 2: "blue"}
METADATA = {
    "author": "Ultralytics",
    "task": "semantic",
    "imgsz": "[64, 64]",
    "stride": "32",
    "channels": "3",
    "names": str(NAMES),
}

Written = Callable[..., str]


@pytest.fixture
def export(tmp_path: Path) -> Written:
    """Return the writer of a graph that answers which channel is brightest, as a class map or logits."""

    def written(
        taken: Any = (1, 3, 64, 64), logits: bool = False, coarse: int = 1, one: bool = False, **metadata: str
    ) -> str:
        proto = onnx.TensorProto
        weights = np.array([[1, -1, 0]]) if one else np.eye(3)
        nodes = [
            helper.make_node("Conv", ["images", "weights"], ["fine"]),
            helper.make_node(
                "AveragePool", ["fine"], ["logits"], kernel_shape=[coarse] * 2, strides=[coarse] * 2
            ),
        ]
        if one:
            nodes.append(helper.make_node("Greater", ["logits", "zero"], ["wide"]))
            nodes.append(helper.make_node("Squeeze", ["wide", "axis"], ["classes"]))
        else:
            nodes.append(helper.make_node("ArgMax", ["logits"], ["classes"], axis=1, keepdims=0))
        nodes.append(helper.make_node("Cast", ["classes"], ["output0"], to=proto.UINT8))
        kind, rank, out = (proto.FLOAT, 4, "logits") if logits else (proto.UINT8, 3, "output0")
        graph = helper.make_graph(
            nodes[:2] if logits else nodes,
            "export",
            [helper.make_tensor_value_info("images", proto.FLOAT, list(taken))],
            [helper.make_tensor_value_info(out, kind, [f"side {side}" for side in range(rank)])],
            [
                onnx.numpy_helper.from_array(weights.astype(np.float32)[..., None, None], "weights"),
                onnx.numpy_helper.from_array(np.zeros((), np.float32), "zero"),
                onnx.numpy_helper.from_array(np.array([1]), "axis"),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        helper.set_model_props(model, {**METADATA, **metadata})
        onnx.save(model, str(tmp_path / "a.onnx"))
        return str(tmp_path / "a.onnx")

    return written


def blocks(height: int, width: int, side: int, seed: int = 4) -> NDArray[np.uint8]:
    """One image of blocks, each of one bright channel."""
    channels = np.random.default_rng(seed).integers(0, 3, (height // side, width // side))
    large = channels.repeat(side, 0).repeat(side, 1)
    return (np.eye(3)[large] * 200 + 20).astype(np.uint8)[None]


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (32, 64), (64, 32), (24, 64), (128, 128)])
def test_images_are_letterboxed_and_labels_are_those_of_the_image(
    size: tuple[int, int], logits: bool, export: Written
) -> None:
    image = blocks(*size, 8)
    model = load_model(export(logits=logits))
    assert model.card.class_names == ("red thing", "green's", "blue")
    np.testing.assert_array_equal(model.predict(image), image.argmax(3))
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(image), image.argmax(3))


def test_a_graph_sees_the_image_on_grey_between_0_and_1(export: Written) -> None:
    model = load_model(export())
    seen = []
    letterboxed: Any = model.network.model
    session = letterboxed.graph

    def look(x: torch.Tensor) -> Any:
        seen.append(x)
        return session(x)

    object.__setattr__(letterboxed, "graph", look)
    image = blocks(30, 60, 6)
    model.predict(image)
    frame = seen[0][0]
    assert frame.shape == (3, 64, 64)
    grey = torch.full((3, 1, 1), 114 / 255)
    torch.testing.assert_close(frame[:, :16], grey.expand(3, 16, 64))
    torch.testing.assert_close(frame[:, 48:], grey.expand(3, 16, 64))
    small = torch.from_numpy(image / 255).permute(0, 3, 1, 2).float()
    inner = torch.nn.functional.interpolate(small, (32, 64), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(frame[:, 16:48], inner)


@pytest.mark.parametrize("logits", [False, True])
def test_answers_of_a_smaller_size_are_cut_where_the_frame_ends(logits: bool, export: Written) -> None:
    image = blocks(32, 64, 16)
    model = load_model(export(logits=logits, coarse=8))
    found = model.predict(image)
    assert (found == image.argmax(3)).mean() > (0.7 if logits else 0.999)
    np.testing.assert_array_equal(found[:, 8::16, 8::16], image.argmax(3)[:, 8::16, 8::16])


@pytest.mark.parametrize("imgsz", ["[128, 128]", "128"])
def test_a_dynamic_export_gets_a_frame_of_multiples_of_its_stride(export: Written, imgsz: str) -> None:
    image = blocks(40, 128, 8)
    model = load_model(export(("batch", 3, "height", "width"), imgsz=imgsz))
    np.testing.assert_array_equal(model.predict(image), image.argmax(3))
    assert placed((40, 128), (128, 128), 32) == ((40, 128), 12, 0, (64, 128))


def test_sides_are_rounded_and_an_odd_row_of_grey_is_below() -> None:
    assert placed((47, 100), (64, 64)) == ((30, 64), 17, 0, (64, 64))
    assert placed((45, 100), (64, 64)) == ((29, 64), 17, 0, (64, 64))
    assert placed((1, 1000), (64, 64)).inner == (1, 64)


def test_a_model_of_one_class_has_a_background(export: Written) -> None:
    image = blocks(32, 64, 8)
    expected = image[..., 0] > image[..., 1]
    for logits in (False, True):
        model = load_model(export(logits=logits, one=True, names="{0: 'crack'}"))
        assert model.card.class_names == ("background", "crack")
        np.testing.assert_array_equal(model.predict(image), expected)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"task": "detect"}, "for the task semantic, but it is for detect: export a model for semantic"),
        ({"names": "{0: print('run')}"}, r"names, imgsz and stride .* cannot be read \(ValueError\)"),
        ({"imgsz": "six", "taken": ("n", 3, "h", "w")}, "cannot be read"),
        ({"names": "{0: 'a', 1: 'b'}"}, "give class_names|2 classes"),
    ],
)
def test_other_exports_are_refused(metadata: dict[str, Any], message: str, export: Written) -> None:
    with pytest.raises(InputError, match=message):
        load_model(export(logits=True, **metadata))


def test_the_task_had_another_name_and_a_list_may_name_the_classes(export: Written) -> None:
    model = load_model(export(task="semseg", names="['a', 'b', 'c']"))
    assert model.card.class_names == ("a", "b", "c")


def test_a_graph_of_another_program_with_a_task_in_its_metadata_is_none_of_these(export: Written) -> None:
    model = load_model(export(author="me", task="segmentation"), class_names=("a", "b", "c"))
    assert model.card.test_size == (64, 64)
