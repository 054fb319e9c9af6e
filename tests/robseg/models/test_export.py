"""An exported model predicts what the model predicts, and carries its card."""

import dataclasses
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from robseg.errors import InputError
from robseg.models.architectures.enet import ENet
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.export.export import export
from robseg.models.export.program import traced
from robseg.models.export.targets import TARGETS
from robseg.models.model import Model, load_model

SIZE = (64, 96)
CLASSES = ("sky", "road", "car")
NETWORKS: dict[str, dict[str, Any]] = {
    "enet": {},
    "enet of 2018": {"generation": 2018},
    "pspnet": {"backbone": "resnet18v1c", "channels": 32},
    "deeplabv3plus": {"backbone": "mobilenet_v2"},
    "ocrnet": {},
    "icnet": {},
}


def model_of(name: str) -> Model:
    """Return a model with random weights, whose norms have seen images."""
    torch.manual_seed(0)
    kind = architecture(name.partition(" ")[0])
    network = kind.build(len(CLASSES), **NETWORKS[name])
    with torch.no_grad():
        network.train()
        for _ in range(3):
            network(torch.randn(4, 3, *SIZE))
    card = Card(name, kind.name, "toy", CLASSES, mean=(100.0, 110.0, 120.0), size_divisor=kind.size_divisor)
    return Model(card, network.eval(), "f" * 64, torch.device("cpu"), "fp32")


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (2, SIZE[0] // 8, SIZE[1] // 8, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def enet() -> Model:
    return model_of("enet")


@pytest.fixture(scope="module")
def written(enet: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ENet as a graph of OpenVINO, in a folder of its own."""
    pytest.importorskip("openvino")
    path = tmp_path_factory.mktemp("openvino") / "net.xml"
    export(enet, "openvino", path, size=SIZE)
    return path


@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_answers_what_the_network_answers(name: str) -> None:
    network = model_of(name).network
    sizes = [SIZE] if name != "pspnet" else [SIZE, (104, 72)]  # with cells of unequal sizes
    for size in sizes:
        x = torch.randn(1, 3, *size)
        with torch.no_grad():
            torch.testing.assert_close(traced(network, size).module()(x), network(x), rtol=1e-4, atol=1e-4)


def test_of_equal_maxima_the_first_is_unpooled() -> None:
    network = ENet(3).eval()
    with torch.no_grad():
        x = torch.zeros(1, 3, *SIZE)
        torch.testing.assert_close(traced(network, SIZE).module()(x), network(x))


@pytest.mark.parametrize("target", [*TARGETS])
@pytest.mark.parametrize(
    "name", [name if name == "enet" else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
)
def test_a_file_predicts_what_its_model_predicts(
    name: str, target: str, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript" if target == "onnx" else {"pt2": "torch"}.get(target, target))
    model = model_of(name)
    path = tmp_path / f"net{TARGETS[target].suffix}"
    export(model, target, path, size=SIZE)
    read = load_model(f"{target}:{path}")
    assert np.mean(read.predict(images) == model.predict(images)) > 0.9995
    assert read.name == f"{target}:net"
    same = {"id", "architecture", "options", "answers", "test_size"}
    for field in dataclasses.fields(Card):
        if field.name not in same:
            assert getattr(read.card, field.name) == getattr(model.card, field.name)
    assert read.card.test_size == SIZE
    assert read.card.options == {"weights": model.sha256, "precision": "fp32", "calibration": ""}
    assert pickle.loads(pickle.dumps(read.network)).num_classes == 3  # noqa: S301 - as workers get it


def test_bf16_and_int8_are_near_and_say_so(enet: Model, images: NDArray[np.uint8], tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    pytest.importorskip("nncf")
    expected = enet.predict(images)
    for precision, least in (("bf16", 0.95), ("int8", 0.6)):
        path = tmp_path / f"{precision}.xml"
        export(enet, "openvino", path, size=SIZE, precision=precision, images=images, calibration="two")  # type: ignore[arg-type]
        read = load_model(f"openvino:{path}")
        assert read.card.options["precision"] == precision
        assert read.card.options["calibration"] == ("two" if precision == "int8" else "")
        assert least < np.mean(read.predict(images) == expected)
    sizes = [(tmp_path / f"{name}.bin").stat().st_size for name in ("bf16", "int8")]
    assert sizes[1] < 0.5 * sizes[0]


def test_a_graph_and_the_weights_of_another_do_not_mix(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.xml"
    path.write_bytes(written.read_bytes())
    with pytest.raises(InputError, match=r"Expected the weights of .* in net\.bin beside it"):
        load_model(f"openvino:{path}")
    weights = bytearray(written.with_suffix(".bin").read_bytes())
    weights[-1] ^= 1
    path.with_suffix(".bin").write_bytes(weights)
    with pytest.raises(InputError, match="but they are those of another export"):
        load_model(f"openvino:{path}")


def test_a_damaged_graph_is_one_line(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.xml"
    path.write_bytes(written.read_bytes()[:5000])
    path.with_suffix(".bin").write_bytes(written.with_suffix(".bin").read_bytes())
    with pytest.raises(InputError, match="to be a graph that OpenVINO runs") as error:
        load_model(f"openvino:{path}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"card": {}}', '{"card": 3}'])
def test_damaged_metadata_are_refused(written: Path, tmp_path: Path, text: str) -> None:
    openvino = pytest.importorskip("openvino")

    graph = openvino.Core().read_model(str(written))
    graph.set_rt_info(text, ["robseg"])
    path = tmp_path / "net.xml"
    openvino.save_model(graph, str(path), compress_to_fp16=False)
    with pytest.raises(InputError, match=r"net\.xml"):
        load_model(f"openvino:{path}")


def test_a_graph_of_others_needs_no_card(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    openvino = pytest.importorskip("openvino")
    torch.manual_seed(0)
    network = nn.Conv2d(3, 2, 1).eval()
    graph = openvino.convert_model(torch.export.export(network, (torch.zeros(1, 3, *SIZE),)))
    openvino.save_model(graph, str(tmp_path / "net.xml"), compress_to_fp16=False)
    read = load_model(f"openvino:{tmp_path / 'net.xml'}", class_names=["a", "b"])
    expected = load_model(network, class_names=["a", "b"]).predict(images)
    assert np.array_equal(read.predict(images), expected)


@pytest.mark.parametrize(
    ("target", "precision", "package"),
    [("openvino", "fp32", "openvino"), ("openvino", "int8", "nncf"), ("onnx", "fp32", "onnxscript")],
)
def test_a_missing_package_is_named(
    enet: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, precision: Any, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"Expected the package {package} .* run pip install"):
        export(enet, target, tmp_path / "net.xml", size=SIZE, precision=precision)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Expected --size HEIGHT WIDTH, because the card of enet states no size"),
        ({"precision": "int8", "size": SIZE}, "Expected --precision fp32 for --to pt2, but got int8"),
        ({"precision": "bf16", "size": SIZE}, "or --to openvino"),
    ],
)
def test_what_does_not_suit_is_refused(
    enet: Model, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        export(enet, "pt2", tmp_path / "net.pt2", **options)
    assert not list(tmp_path.iterdir())


def test_images_of_another_size_do_not_calibrate(enet: Model, tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    other = [np.zeros((32, 48, 3), np.uint8)]
    with pytest.raises(
        InputError, match=r"Expected images .* sees as 64 x 96 pixels, but for one it is 32 x 48"
    ):
        export(enet, "openvino", tmp_path / "net.xml", size=SIZE, precision="int8", images=other)


def test_a_model_of_others_is_refused(tmp_path: Path) -> None:
    other = load_model(nn.Conv2d(3, 2, 1), class_names=["a", "b"])
    with pytest.raises(InputError, match="Expected a model of an architecture of robseg to export"):
        export(other, "pt2", tmp_path / "net.pt2", size=SIZE)
