"""A score that is no number is never labelled; minus infinity rules a class out, and nothing else."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import robseg
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.architectures.segfix import SegFix
from robseg.models.card import Card
from robseg.models.predict import inference
from robseg.models.predict.batch import Batch
from robseg.models.predict.inference import predicted
from robseg.models.refine.offsets import predicted_offsets
from tests.invoke import invoke
from tests.robseg.models.images import rgb
from tests.robseg.models.test_batch import network

NAMES = ("a", "b", "c", "d", "e")
CARD = Card("m", "enet", "toy", NAMES)
WINDOWS = {"test_mode": "slide", "crop_size": (16, 24), "stride": (8, 12)}
WAYS: list[dict[str, Any]] = [
    {},
    {"test_size": (24, 33)},
    {"align_corners": True},
    {"flip": True},
    {"flip": True, "average": "probabilities", "test_size": (24, 33)},
    WINDOWS,
    {**WINDOWS, "flip": True, "average": "probabilities"},
    {**WINDOWS, "flip": True, "test_size": (33, 50)},
]
INFINITY = "-infinity for every class of a pixel"


class Answering(torch.nn.Module):
    """A network that answers `value` in some places."""

    def __init__(self, value: float, channel: int | slice, where: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.inner, self.value, self.channel, self.where = network(), value, channel, where

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.inner(images)
        chosen = torch.ones_like(logits[:, 0], dtype=torch.bool) if self.where is None else self.where(logits)
        logits[:, self.channel] = logits[:, self.channel].masked_fill(
            chosen[:, None] if isinstance(self.channel, slice) else chosen, self.value
        )
        return logits


def corner(logits: Tensor) -> Tensor:
    """One pixel of the last image."""
    chosen = torch.zeros_like(logits[:, 0], dtype=torch.bool)
    chosen[-1, 3, 4] = True
    return chosen


def checkered(logits: Tensor) -> Tensor:
    """Every other pixel, so that resizing mixes them with their neighbours."""
    rows, columns = (torch.arange(side) for side in logits.shape[-2:])
    return ((rows[:, None] + columns) % 2 == 0).expand(len(logits), -1, -1)


@pytest.mark.parametrize("confidence", [False, True])
@pytest.mark.parametrize("fields", WAYS)
@pytest.mark.parametrize(
    ("value", "channel", "shown"),
    [(math.nan, 2, "NaN"), (math.inf, 2, "infinity"), (-math.inf, slice(None), INFINITY)],
)
def test_the_model_and_the_image_are_named(
    value: float, channel: Any, shown: str, fields: dict[str, Any], confidence: bool
) -> None:
    card = {"mean": CARD.mean, "std": CARD.std, "id": "mine", **fields}
    model = load_model(Answering(value, channel, corner), class_names=NAMES, card=card)
    batch = Batch(rgb(40, 60, 3), ["one", "two", "three"], confidence=confidence)
    with pytest.raises(InputError, match=f"finite scores from mine for the image three, but got {shown}: "):
        batch.result(model)
    with pytest.raises(InputError, match=f"from mine for image 3 of 3, but got {shown}: "):
        model.predict(rgb(40, 60, 3))


@pytest.mark.parametrize("at_once", [1, 2**26])
@pytest.mark.parametrize("lowest", [-math.inf, torch.finfo(torch.float32).min])
@pytest.mark.parametrize("fields", WAYS)
def test_a_class_that_is_ruled_out_changes_nothing_else(
    fields: dict[str, Any], lowest: float, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "VALUES_AT_ONCE", at_once)
    card, images = dataclasses.replace(CARD, **fields), rgb(40, 60, 2)
    for where in (None, checkered, corner):
        found = predicted(Answering(lowest, 2, where), images, card, confidence=True)
        expected = predicted(Answering(-1e6, 2, where), images, card, confidence=True)
        np.testing.assert_array_equal(found.labels, expected.labels)
        assert found.confidence is not None
        np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-4)
        plain = predicted(Answering(lowest, 2, where), images, card)
        np.testing.assert_array_equal(plain.labels, found.labels)
    assert len(np.unique(expected.labels)) > 3


@pytest.mark.parametrize("scale", [3e38, -3e38])
def test_large_finite_scores_are_compared_as_any_others(scale: float) -> None:
    card, images = dataclasses.replace(CARD, flip=True), rgb(40, 60)
    found = predicted(Answering(scale, 2, checkered), images, card)
    expected = predicted(Answering(math.copysign(1e6, scale), 2, checkered), images, card)
    np.testing.assert_array_equal(found.labels, expected.labels)


def test_offsets_are_not_made_of_nan() -> None:
    segfix = load_model("segfix", SegFix(backbone="mobilenet_v2", channels=8).state_dict())
    with torch.no_grad():
        segfix.network.get_parameter("mask_head.2.weight").fill_(math.nan)
    with pytest.raises(
        InputError, match="finite scores from segfix:state_dict for the image one, but got NaN"
    ):
        Batch(rgb(32, 32), ["one"]).result(predicted_offsets(segfix))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_refused(value: float) -> None:
    tensors = load_model("deeplabv3plus@streets").network.state_dict()
    tensors["backbone.conv1.bn.weight"][1] = value  # a fused ReLU would make 0 of NaN
    with pytest.raises(InputError, match=r"finite weights .* but backbone\.conv1\.bn\.weight"):
        load_model("deeplabv3plus", tensors)


MODULE = """
import torch

def make():
    def answer(images):
        logits = images.clone()
        logits[images.mean((1, 2, 3)) > {limit}] = float("nan")  # only where an image is bright
        return logits
    return answer
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_ends_at_an_answer_that_is_no_number(
    workers: int, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"answers_nan_{workers}"
    Path(f"{name}.py").write_text(MODULE.format(limit=0.6))
    asked = ["-m", f"py:{name}:make", "-d", "folder", "--data-root", tree, "-c", "brightness", "-s", "5"]
    result = invoke("evaluate", *asked, "-j", workers, "-o", "out", "--no-examples")
    assert result.exit_code == 2, result.output
    assert "Under brightness at severity 5: Expected finite scores from" in result.output
    assert f"from py:{name}:make for the image " in result.output
    assert "Traceback" not in result.output


def test_predict_names_the_image(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("answers_nan.py").write_text(MODULE.format(limit=0))
    Path("card.json").write_text('{"class_names": ["red", "green", "blue"]}')
    result = invoke(
        "predict", tree / "images", "-m", "py:answers_nan:make", "--model-card", "card.json", "-o", "out"
    )
    assert result.exit_code == 2, result.output
    assert "finite scores from py:answers_nan:make for the image 0, but got NaN" in result.output


def test_an_error_on_clean_images_says_so(dataset: Dataset, tmp_path: Path) -> None:
    def answer(images: Tensor) -> Tensor:
        return images * (math.nan if images.shape[-2:] == (48, 64) else 1)

    with pytest.raises(
        InputError, match="On clean images: Expected finite scores from answer for the image 3"
    ):
        robseg.evaluate(answer, dataset, "none", out=tmp_path, num_workers=0)


@pytest.mark.parametrize("shape", [(1, 3, 0, 5), (1, 3, 5, 0), (1, 0, 5, 5), (1, 0, 5)])
def test_an_empty_answer_is_reported(shape: tuple[int, ...]) -> None:
    kind = torch.float32 if len(shape) == 4 else torch.int64
    with pytest.raises(InputError, match=r"batch \(1, 3, 64, 64\), but got \(1, [05, 3]+\): check"):
        load_model(lambda _: torch.zeros(shape, dtype=kind), class_names=("a", "b", "c"))
    seen: list[int] = []

    def later(images: Tensor) -> Tensor:
        seen.append(1)
        return images if len(seen) == 1 else torch.zeros(shape, dtype=kind)

    model = load_model(later, class_names=("a", "b", "c"))
    with pytest.raises(InputError, match="at least one pixel of one class"):
        model.predict(rgb(64, 64))


TOO_MUCH: list[Callable[[Tensor], Any]] = [
    lambda _: torch.empty(2**50),
    lambda _: np.empty(2**50),
    lambda _: raised(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")),
    lambda _: raised(RuntimeError("Failed to allocate memory for requested buffer of size 99")),
    lambda _: raised(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate")),
]


def raised(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("use", TOO_MUCH)
def test_too_little_memory_is_no_matter_of_the_images_size(use: Callable[[Tensor], Any]) -> None:
    def answer(images: Tensor) -> Tensor:
        return images if len(images) == 1 else use(images)

    class Own(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return answer(images)

    model = load_model(answer, class_names=("a", "b", "c"))
    own = dataclasses.replace(model, network=Own())  # as a network of this package
    for one in (model, own):
        with pytest.raises(InputError, match="smaller --batch-size or fewer --num-workers") as refused:
            one.predict(rgb(8, 8, 2))
        assert "answer to predict a batch of 2," in str(refused.value)
        assert "test_size" not in str(refused.value)
