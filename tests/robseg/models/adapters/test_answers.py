"""Whatever a model wraps its answer in, logits or labels come out, and any other answer is refused."""

import pickle
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.architectures.enet import ENet

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


class Outputs(NamedTuple):
    aux: Tensor
    out: Tensor


def test_an_output_is_known_by_its_name_wherever_it_stands(
    images: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(lambda x: Outputs(aux=-x, out=x), class_names=NAMES)
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))
    assert not caplog.records


def test_the_first_of_several_outputs_without_names_is_taken_and_said(
    images: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(lambda x: [x, -x], class_names=NAMES)
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))
    assert [record.getMessage() for record in caplog.records] == [
        "Of the outputs of lambda, output 0 of 2 without names is evaluated; `output` in the model's card "
        "chooses another."
    ]


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (lambda x: [-x, x], 1),
        (lambda x: (-x, -x, x), -1),
        (lambda x: {"out": -x, "fused": x}, "fused"),
        (lambda x: {"out": -x, "fused": x}, 1),
        (lambda x: ([-x, x],), 1),
    ],
)
def test_a_card_chooses_an_output(
    answer: Any, output: int | str, images: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(answer, class_names=NAMES, card={"output": output})
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))
    assert not caplog.records


def test_worker_processes_take_the_same_output(images: NDArray[np.uint8]) -> None:
    model = load_model(Last(), class_names=NAMES, card={"output": 1})
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), images.argmax(3))


class Last(torch.nn.Module):
    def forward(self, x: Tensor) -> list[Tensor]:
        return [-x, x]


@pytest.mark.parametrize(
    ("spec", "output", "message"),
    [
        (lambda x: {"out": x, "aux": x}, "main", "the output 'main' of its card, but it answers out, aux"),
        (lambda x: [x, x], 2, "the output 2 of its card, but it answers 2 without names"),
        (lambda x: x, 1, "the output 1 of its card, but it answers a single one"),
        (lambda x: [x, x], True, "`card.output` to be a whole number or text, but got True"),
    ],
)
def test_an_output_that_is_not_there_is_refused(spec: Any, output: int | str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(spec, class_names=NAMES, card={"output": output})


def test_a_model_with_one_output_leaves_nothing_to_choose() -> None:
    with pytest.raises(InputError, match="Expected no `output` in the card"):
        load_model("enet", ENet(3).state_dict(), card={"output": 0})


@pytest.mark.parametrize("size", [None, (32, 48)])
def test_labels_of_a_smaller_size_are_resized_by_the_nearest_neighbour(
    size: tuple[int, int] | None, images: NDArray[np.uint8]
) -> None:
    coarse = [lambda x: x.argmax(1)[:, ::4, ::4], lambda x: x.argmax(1)[:, ::2, ::2]][size is not None]
    model = load_model(coarse, class_names=NAMES, card={"test_size": size, "antialias": False})
    assert model.facts == {"label_resizing": "nearest"}
    small = images.argmax(3)[:, ::4, ::4]
    found = model.predict(images)
    if size is None:
        np.testing.assert_array_equal(found, small.repeat(4, 1).repeat(4, 2))
    else:
        np.testing.assert_array_equal(found, found[:, ::4, ::4].repeat(4, 1).repeat(4, 2))
