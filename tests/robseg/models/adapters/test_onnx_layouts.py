"""ONNX graphs with channels in any place, sides open or fixed, and numbers of any type."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.model import Model

helper = pytest.importorskip("onnx.helper")
pytest.importorskip("onnxruntime")
import onnx  # noqa: E402

NAMES = ("red", "green", "blue")
FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]
FACTORS = np.array([2.0137, 3.0711, 1.0])  # no two weighted pixels of bytes are equal
WEIGHTS = np.diag(FACTORS).astype(np.float32)[..., None, None]

Written = Callable[..., Model]


@pytest.fixture
def load(tmp_path: Path) -> Written:
    """Return the writer and reader of a graph that weighs channels, in any layout."""

    def written(
        taken: list[Any], last: bool = False, kind: str = "FLOAT", answer: str = "logits", **options: Any
    ) -> Model:
        proto = onnx.TensorProto
        names = (f"step {number}" for number in itertools.count())
        value, nodes = "x", []

        def then(operation: str, *inputs: str, **attributes: Any) -> None:
            nonlocal value
            result = next(names)
            nodes.append(helper.make_node(operation, [value, *inputs], [result], **attributes))
            value = result

        if kind != "FLOAT":
            then("Cast", to=proto.FLOAT)
        if last:
            then("Transpose", perm=FIRST)
        then("Conv", "weights")
        out = proto.FLOAT
        if answer.startswith("labels"):
            then("ArgMax", axis=1, keepdims=int("1" in answer))
            out = proto.INT64
        if answer.endswith("last"):
            then("Transpose", perm=LAST)
        if "float" in answer or kind == "DOUBLE":
            out = proto.DOUBLE if kind == "DOUBLE" else proto.FLOAT
            then("Cast", to=out)
        rank = 3 if answer in {"labels", "labels float"} else 4
        graph = helper.make_graph(
            nodes,
            "layout",
            [helper.make_tensor_value_info("x", getattr(proto, kind), taken)],
            [helper.make_tensor_value_info(value, out, [f"side {side}" for side in range(rank)])],
            [onnx.numpy_helper.from_array(WEIGHTS, "weights")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        onnx.save(model, str(tmp_path / "a.onnx"))
        return load_model(str(tmp_path / "a.onnx"), class_names=NAMES, **options)

    return written


def check(model: Model, images: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(model.predict(images), (images * FACTORS).argmax(3))


@pytest.mark.parametrize(
    ("taken", "last"),
    [
        (["n", 3, "h", "w"], False),
        ([None, None, None, None], False),
        ([1, 3, 64, 96], False),
        ([2, 3, None, None], False),
        (["n", "h", "w", 3], True),
        ([None, None, None, None], True),
        (["a", "b", "c", "d"], True),
        ([1, 64, 96, 3], True),
        ([4, 64, 96, "channels"], True),
    ],
)
@pytest.mark.parametrize("answer", ["logits", "logits last"])
def test_channels_may_be_in_the_last_place(
    taken: list[Any], last: bool, answer: str, load: Written, images: NDArray[np.uint8]
) -> None:
    model = load(taken, last, answer=answer)
    assert model.card.test_size == ((64, 96) if 96 in taken else None)
    check(model, images)


@pytest.mark.parametrize("answer", ["labels", "labels 1", "labels 1 last", "labels float", "labels 1 float"])
@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE", "FLOAT16", "UINT8"])
def test_labels_of_every_shape_and_numbers_of_every_type_are_read(
    answer: str, kind: str, load: Written, images: NDArray[np.uint8]
) -> None:
    model = load(["n", 3, "h", "w"], kind=kind, answer=answer)
    assert model.facts == {"label_resizing": "nearest"}
    # Half precision rounds a few pairs of neighbouring values to one.
    found = model.predict(images)
    assert (found == (images * FACTORS).argmax(3)).mean() > (0.99 if kind == "FLOAT16" else 0.9999)


@pytest.mark.parametrize("kind", ["DOUBLE", "UINT8"])
def test_logits_of_every_type_are_read(kind: str, load: Written, images: NDArray[np.uint8]) -> None:
    check(load(["n", "h", "w", 3], True, kind), images)


def test_a_graph_of_other_channels_is_refused(load: Written) -> None:
    with pytest.raises(
        InputError, match=r"\(N, 3, H, W\) or \(N, H, W, 3\) .* but it takes x \['n', 4, 8, 8\]"
    ):
        load(["n", 4, 8, 8])


def test_a_graph_with_as_many_classes_as_pixels_in_a_row_is_told_by_its_card(load: Written) -> None:
    with pytest.raises(InputError, match=r'got \(1, 3, 3, 3\): put "answers"'):
        load([1, 3, 3, 3])
    image = np.random.default_rng(5).integers(0, 256, (1, 3, 3, 3), dtype=np.uint8)
    check(load([1, 3, 3, 3], card={"answers": "logits"}), image)
    check(load([1, 3, 3, 3], answer="logits last", card={"answers": "logits_last"}), image)


def test_a_graph_that_runs_with_channels_in_both_places_is_refused(tmp_path: Path) -> None:
    proto = onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("ArgMax", ["x"], ["y"], axis=3, keepdims=0)],
        "open",
        [helper.make_tensor_value_info("x", proto.FLOAT, list("abcd"))],
        [helper.make_tensor_value_info("y", proto.INT64, list("efg"))],
    )
    file = str(tmp_path / "a.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    with pytest.raises(InputError, match=r"a.onnx to state which side of its images is the channels"):
        load_model(file, class_names=NAMES)
