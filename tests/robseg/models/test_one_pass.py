"""Labels made in one pass over the image are those of torch's operations, step by step."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robseg.models.card import Card
from robseg.models.predict import inference
from robseg.models.predict.inference import predicted
from robseg.models.predict.sampling import Axis, taps
from tests.robseg.models.images import rgb

CARD = Card("m", "enet", "toy", tuple("abcdefg"))
SLIDE = {"test_mode": "slide", "crop_size": (33, 41), "stride": (20, 27)}


class Coarse(nn.Module):
    """Answer with logits at a fraction of the input's size, which depend on places and colours."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 7, 3, stride, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


@pytest.mark.parametrize("stride", [1, 4, 8])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"align_corners": True},
        {"size_divisor": 16},
        {"size_divisor": 8, "size_remainder": 1, "align_corners": True},
        {"test_size": (40, 64)},
        {"test_size": (160, 200), "resize": "fit", "size_divisor": 32},
        {"test_size": (160, 200), "resize": "fit", "align_corners": True, "flip": True},
        {"test_size": (160, 200), "resize_logits": "once"},
        {"resize_logits": "once", "size_divisor": 16},
        {"flip": True},
        {"flip": True, "size_divisor": 16},
        {"flip": True, "channel_order": "BGR", "mean": (1.0, 2.0, 3.0), "std": (60.0, 50.0, 40.0)},
        SLIDE,
        SLIDE | {"flip": True, "size_divisor": 8},
        SLIDE | {"test_size": (120, 160), "resize": "long", "align_corners": True},
        SLIDE | {"crop_size": (200, 200), "stride": (100, 100), "size_divisor": 8},
        {"average": "scores", "flip": True},
    ],
)
def test_labels_are_those_of_step_by_step(fields: dict[str, Any], stride: int) -> None:
    card = dataclasses.replace(CARD, **fields)
    images = np.concatenate([rgb(97, 131), rgb(97, 131)[:, ::-1]])
    network: Any = Coarse(stride).eval()
    if card.average == "scores":
        network = nn.Sequential(network, nn.Softplus())
    found = predicted(network, images, card).labels
    # With the confidence, scores are resized by torch.
    expected = predicted(network, images, card, confidence=True).labels
    assert found.shape == expected.shape == (2, 97, 131)
    assert len(np.unique(found)) > 1
    assert (found != expected).sum() <= 1  # of 25,414, where two scores are equal but for rounding


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_images_of_a_few_pixels_have_labels(size: tuple[int, int]) -> None:
    card = dataclasses.replace(CARD, size_divisor=8)
    network = Coarse(8).eval()
    found = predicted(network, rgb(*size), card)
    assert (found.labels == predicted(network, rgb(*size), card, confidence=True).labels).all()


def test_the_first_of_equal_classes_is_the_label() -> None:
    equal = nn.Conv2d(3, 7, 1)
    nn.init.zeros_(equal.weight)
    equal.bias.data = torch.tensor([0.0, 1, 0, 1, 1, 0, 0])
    assert (predicted(equal, rgb(9, 9), CARD).labels == 1).all()


def test_resized_scores_are_never_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("resized by torch")

    monkeypatch.setattr(inference, "resize", refuse)
    predicted(Coarse(4).eval(), rgb(64, 64), CARD)


def test_weights_of_windows_and_mirrored_answers_sum_to_one() -> None:
    found = taps(Axis(5, 40, 37, (0, 20, 41), True, 78, 70, 90, align_corners=False))
    assert found.source.max() < 2 * 3 * 5
    np.testing.assert_allclose(found.weight.sum(0), 1, rtol=1e-6)
