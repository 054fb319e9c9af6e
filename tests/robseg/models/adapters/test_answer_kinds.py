"""What a model's answer means is told by its card, else by its shape and values, and never guessed."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.architectures.enet import ENet
from robseg.models.predict.batch import Batch

TWO = ("background", "object")
NAMES = ("red", "green", "blue")


def logit(x: Tensor) -> Tensor:
    """One logit, above 0 where a pixel has more red than green."""
    return x[:, :1] - x[:, 1:2]


def two_logits(x: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(logit(x)), logit(x)], dim=1)


def test_one_logit_stands_for_two_classes_and_is_said(
    images: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(logit, class_names=TWO)
    expected = images[..., 0].astype(int) > images[..., 1]
    np.testing.assert_array_equal(model.predict(images), expected)
    assert [record.getMessage() for record in caplog.records] == [
        "logit answers one logit: a pixel is object where it is above 0, else background; `answers` in the "
        "model's card says otherwise."
    ]


@pytest.mark.parametrize("average", ["logits", "probabilities"])
def test_one_logit_is_averaged_like_the_two_logits_0_and_z(average: str, images: NDArray[np.uint8]) -> None:
    card = {"test_mode": "slide", "crop_size": (32, 48), "stride": (16, 24), "flip": True, "average": average}

    def predicted(answer: Any) -> tuple[Any, Any]:
        # The place of a pixel matters to windows and mirrored images.
        place = torch.linspace(-0.5, 0.5, 48)
        model = load_model(lambda x: answer(x * place), class_names=TWO, card=card)
        found = Batch(images, confidence=True).result(model)
        return found.labels, found.confidence

    one, two = predicted(logit), predicted(two_logits)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_allclose(one[1], two[1], atol=1e-6)


def test_one_probability_is_taken_where_the_card_says_so(images: NDArray[np.uint8]) -> None:
    model = load_model(lambda x: logit(x).sigmoid(), class_names=TWO, card={"answers": "probability"})
    found = Batch(images, confidence=True).result(model)
    z = torch.tensor(images[..., 0] / 255 - images[..., 1] / 255)
    np.testing.assert_array_equal(found.labels, z > 0)
    assert found.confidence is not None
    np.testing.assert_allclose(found.confidence, z.abs().sigmoid(), atol=1e-6)


def test_numbers_from_0_to_1_may_be_probabilities_and_are_refused() -> None:
    def sigmoid(x: Tensor) -> Tensor:
        return logit(x).sigmoid()

    with pytest.raises(InputError, match=r'put "answers": "probability" .* or "logit" into its card'):
        load_model(sigmoid, class_names=TWO)
    assert load_model(sigmoid, class_names=TWO, card={"answers": "logit"}).card.answers == "logit"


def test_probabilities_beyond_1_are_refused(images: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match=r"probabilities from 0 to 1, as its card states, but got -"):
        load_model(logit, class_names=TWO, card={"answers": "probability"})


def test_one_logit_for_three_classes_or_without_names_is_refused() -> None:
    with pytest.raises(InputError, match="it answers 1: give class_names, two if it answers one logit"):
        load_model(logit, class_names=NAMES)
    with pytest.raises(InputError, match="one channel, but got none: give class_names"):
        load_model(logit)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_of_one_channel_are_labels_of_two_classes(
    dtype: torch.dtype, images: NDArray[np.uint8]
) -> None:
    model = load_model(lambda x: (logit(x) > 0).to(dtype), class_names=TWO)
    assert model.facts == {"label_resizing": "nearest"}
    np.testing.assert_array_equal(model.predict(images), images[..., 0] > images[..., 1])


def test_worker_processes_know_the_kind_of_answer(images: NDArray[np.uint8]) -> None:
    model = load_model(logit, class_names=TWO)
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), model.predict(images))


def test_a_network_of_torchvision_with_one_output_has_two_classes(images: NDArray[np.uint8]) -> None:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=1).eval()
    card = {"test_size": None}
    model = load_model(
        "torchvision:lraspp_mobilenet_v3_large", network.state_dict(), class_names=TWO, card=card
    )
    x = (
        torch.tensor(images).permute(0, 3, 1, 2) - torch.tensor(model.card.mean).view(3, 1, 1)
    ) / torch.tensor(model.card.std).view(3, 1, 1)
    with torch.no_grad():
        expected = network(x)["out"][:, 0] > 0
    assert (model.predict(images) == expected.numpy()).mean() > 0.999


def test_channels_in_the_last_place_are_found_and_said(
    images: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(lambda x: x.permute(0, 2, 3, 1), class_names=NAMES)
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))
    assert ["channels in the last place" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("last", [False, True])
def test_as_many_classes_as_pixels_in_a_row_do_not_confuse_the_channels(last: bool) -> None:
    names = tuple(str(number) for number in range(16))
    image = np.random.default_rng(3).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)

    def answer(x: Tensor) -> Tensor:
        scores = x[:, :1, ::4, ::4] * torch.arange(16).view(16, 1, 1)
        return scores.permute(0, 2, 3, 1) if last else scores

    assert (load_model(answer, class_names=names).predict(image) == 15).all()


def test_channels_that_cannot_be_told_from_pixels_are_refused_unless_the_card_tells_them() -> None:
    names = tuple(str(number) for number in range(16))

    def answer(x: Tensor) -> Tensor:
        return x[:, :1].expand(-1, 16, -1, -1)

    card: dict[str, Any] = {"test_size": (16, 16)}
    with pytest.raises(InputError, match=r'got \(1, 16, 16, 16\): put "answers": "logits" .*"logits_last"'):
        load_model(answer, class_names=names, card=card)
    for kind in ("logits", "logits_last"):
        assert load_model(answer, class_names=names, card={**card, "answers": kind}).card.answers == kind


@pytest.mark.parametrize(
    "shaped", [lambda x: x, lambda x: x[:, None], lambda x: x[..., None], lambda x: x.double()]
)
@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
def test_labels_are_found_in_every_shape_and_type(
    shaped: Any, dtype: torch.dtype, images: NDArray[np.uint8]
) -> None:
    model = load_model(lambda x: shaped(x.argmax(1).to(dtype)), class_names=NAMES)
    assert model.facts == {"label_resizing": "nearest"}
    np.testing.assert_array_equal(model.predict(images), images.argmax(3))


def test_labels_that_turn_out_not_to_be_whole_are_refused(images: NDArray[np.uint8]) -> None:
    model = load_model(lambda x: x.argmax(1).float() + (x.shape[-1] == 96) / 2, class_names=NAMES)
    with pytest.raises(InputError, match="labels, whole numbers, but got others: correct `answers`"):
        model.predict(images)


@pytest.mark.parametrize("kind", ["labels", "logit", "probability"])
def test_a_card_that_states_one_number_for_each_pixel_must_be_right(kind: str) -> None:
    with pytest.raises(InputError, match=f"the {kind} that its card states, but got .1, 3, 64, 64."):
        load_model(lambda x: x, class_names=TWO, card={"answers": kind})


def test_a_model_whose_answer_is_known_takes_no_statement_about_it() -> None:
    with pytest.raises(InputError, match="Expected no `answers` in the card"):
        load_model("enet", ENet(3).state_dict(), card={"answers": "logits"})


def test_labels_that_are_no_class_are_told_at_loading(caplog: pytest.LogCaptureFixture) -> None:
    load_model(lambda images: 255 * (images[:, 0] > 0.5).long(), class_names=["background", "crack"])
    assert "answers the label 255, which is none of its 2 classes and counts as wrong" in caplog.text
