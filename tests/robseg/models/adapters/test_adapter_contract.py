"""Every adapter gives the same labels, also after pickling, and states the facts of its model."""

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from robseg.models import Model, load_model

CLASSES = ("sky", "road", "car")
PARAMETERS = 3 * 4 * 9 + 4 + 4 * 3 + 3
MACS = (3 * 4 * 9 + 4 * 3) * 32 * 48
SOURCES = ("module", "factory", "onnx", "pt2 dynamic", "pt2 fixed", "torchscript")


class Bring:
    """Loads the tiny network from a source."""

    def __init__(self, folder: Path, saved: Any, make_onnx: Callable[..., None], network: nn.Module) -> None:
        self.folder, self.saved, self.make_onnx, self.network = folder, saved, make_onnx, network

    def __call__(self, source: str, monkeypatch: pytest.MonkeyPatch) -> Model:
        return load_model(self.spec(source, monkeypatch), class_names=CLASSES)

    def spec(self, source: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        if source == "module":
            return self.network
        if source == "onnx":
            self.make_onnx(self.folder / "tiny.onnx", "n", "h", "w")
            return f"onnx:{self.folder / 'tiny.onnx'}"
        if source == "factory":
            text = "import torch\n\ndef make():\n    return torch.load({!r}, weights_only=False)\n"
            torch.save(self.network, self.folder / "whole.pth")
            (self.folder / "brought_model.py").write_text(text.format(str(self.folder / "whole.pth")))
            monkeypatch.syspath_prepend(str(self.folder))
            return "py:brought_model:make"
        files = {
            "pt2 dynamic": "pt2:{}/dynamic.pt2",
            "pt2 fixed": "pt2:{}/fixed.pt2",
            "torchscript": "ts:{}/traced.pt",
        }
        return files[source].format(self.saved.folder)


@pytest.fixture
def bring(tmp_path: Path, saved: Any, make_onnx: Callable[..., None], network: nn.Module) -> Bring:
    return Bring(tmp_path, saved, make_onnx, network)


every_source = pytest.mark.parametrize("source", SOURCES)


def expected(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the tiny network's labels without any of our code."""
    with torch.inference_mode():
        logits = network(torch.from_numpy(images / 255).permute(0, 3, 1, 2).float())
        logits = nn.functional.interpolate(logits, images.shape[1:3], mode="bilinear")
    labels: NDArray[Any] = logits.argmax(1).numpy()
    return labels


@every_source
def test_labels_are_those_of_the_network(
    source: str, bring: Bring, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = bring(source, monkeypatch).predict(images)
    assert len(np.unique(labels)) > 1
    assert (labels == expected(bring.network, images)).mean() > 0.999


@every_source
def test_a_used_model_can_be_sent_to_a_process(
    source: str, bring: Bring, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bring(source, monkeypatch)
    before = model.predict(images)
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), before)
    assert (sent.card, sent.sha256, sent.parameters) == (model.card, model.sha256, model.parameters)


@every_source
def test_cost_is_reported(source: str, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    model = bring(source, monkeypatch)
    assert model.parameters == PARAMETERS
    assert model.gmacs(64, 96) == (None if source == "onnx" else pytest.approx(MACS / 1e9))


@every_source
def test_the_digest_is_that_of_file_or_tensors(
    source: str, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bring(source, monkeypatch)
    spec = bring.spec(source, monkeypatch)
    if source in {"module", "factory"}:
        with torch.no_grad():
            bring.network[0].weight[0, 0, 0, 0] += 1  # type: ignore[index]
        other = load_model(bring.network, class_names=CLASSES)
        assert len(model.sha256) == 64
        assert other.sha256 != model.sha256
    else:
        path = Path(spec.partition(":")[2] or spec)
        assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@every_source
def test_odd_batches_are_labelled_as_alone(
    source: str, bring: Bring, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bring(source, monkeypatch)
    three = np.concatenate([images, images[:1, ::-1]])
    alone = np.concatenate([model.predict(image[None]) for image in three])
    np.testing.assert_array_equal(model.predict(three), alone)


@every_source
def test_images_of_any_size_are_labelled(
    source: str, bring: Bring, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bring(source, monkeypatch).predict(images[:, :47, :65]).shape == (2, 47, 65)


@every_source
def test_another_number_of_classes_is_reported(
    source: str, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"to answer 2 classes \(a, b\), but it answers 3: give class_names"):
        load_model(bring.spec(source, monkeypatch), class_names=("a", "b"))
