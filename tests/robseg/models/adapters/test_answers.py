"""Whatever a model wraps its answer in, logits or labels come out, and any other answer is refused."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from robseg.errors import InputError
from robseg.models import load_model

NAMES = ("red", "green", "blue")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda logits: {"aux": -logits, "out": logits},
        lambda logits: {"logits": logits},
        lambda logits: SimpleNamespace(logits=logits),
        lambda logits: (logits, -logits),
        lambda logits: [logits],
        lambda logits: logits.numpy(),
    ],
)
def test_logits_are_found_in_what_wraps_them(wrap: Any, images: NDArray[np.uint8]) -> None:
    bare = load_model(lambda x: x, class_names=NAMES).predict(images)
    wrapped = load_model(wrap, class_names=NAMES).predict(images)
    np.testing.assert_array_equal(wrapped, bare)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.int32])
@pytest.mark.parametrize("keepdim", [True, False])
def test_integers_are_labels(dtype: torch.dtype, keepdim: bool, images: NDArray[np.uint8]) -> None:
    model = load_model(lambda x: x.argmax(1, keepdim=keepdim).to(dtype), class_names=NAMES)
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))


def test_labels_outside_the_classes_are_none_of_them(images: NDArray[np.uint8]) -> None:
    def answer(x: Tensor) -> Tensor:
        labels = x.argmax(1)
        labels[:, :4], labels[:, 4:8] = 255, -1
        return labels

    labels = load_model(answer, class_names=NAMES).predict(images)
    assert (labels[:, :8] == len(NAMES)).all()
    np.testing.assert_array_equal(labels[:, 8:], images.argmax(3)[:, 8:])


def test_labels_without_known_classes_are_reported() -> None:
    with pytest.raises(InputError, match="answers labels, but got none: give class_names"):
        load_model(lambda x: x.argmax(1))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: x[0], r"logits \(N, C, h, w\) or labels .* but got \(3, 64, 64\) of torch.float32"),
        (lambda x: x.mean(1), r"but got \(1, 64, 64\) of torch.float32"),
        (lambda x: x.repeat(2, 1, 1, 1), r"but got \(2, 3, 64, 64\)"),
        (lambda x: {"boxes": x}, "to have out or logits, but got boxes"),
        (lambda _: "road", "to answer a tensor, but got str"),
        (lambda x: x.view(7), r"to take a float batch \(1, 3, 64, 64\), but it raised RuntimeError"),
    ],
)
def test_other_answers_are_reported(answer: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(answer, class_names=NAMES)


def test_what_is_not_a_model_is_reported() -> None:
    with pytest.raises(InputError, match=r"spec, an nn\.Module or another callable, but got int"):
        load_model(3)  # type: ignore[arg-type]


def test_an_answer_that_changes_its_classes_is_reported(images: NDArray[np.uint8]) -> None:
    model = load_model(lambda x: x if x.shape[-1] == 64 else x[:, :2], class_names=NAMES)
    with pytest.raises(InputError, match="logits of its 3 classes, but got 2 channels"):
        model.predict(images)


def test_views_of_the_images_work(images: NDArray[np.uint8]) -> None:
    model = load_model(lambda x: x.view(len(x), -1).view_as(x), class_names=NAMES)
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))


def test_a_callable_sees_rgb_between_0_and_1(images: NDArray[np.uint8]) -> None:
    seen = []

    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x

    load_model(look, class_names=NAMES).predict(images)
    np.testing.assert_allclose(seen[-1].permute(0, 2, 3, 1).numpy(), images / 255, atol=1e-7)
