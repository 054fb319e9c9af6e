"""Sliding windows: where they are, and that their average is that of a slow definition."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.predict import sliding
from robseg.models.predict.inference import labels, preprocess
from robseg.models.predict.sizes import network_sizes, windows
from robseg.models.predict.sliding import slide
from tests.robseg.models.images import rgb

CARD = Card("m", "enet", "toy", ("a", "b", "c"), test_mode="slide", crop_size=(16, 24), stride=(11, 16))
WHOLE = dataclasses.replace(CARD, test_mode="whole")
SIZES = [(16, 24), (17, 25), (40, 61), (33, 24), (64, 30)]
every_size = pytest.mark.parametrize("size", SIZES)


class Toy(nn.Module):
    """Convolve with a wide kernel, so that borders matter, at a fraction of the size."""

    def __init__(self, stride: int = 1, kernel: int = 5) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.convolution = nn.Conv2d(3, 4, kernel, stride, kernel // 2)
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.sizes += [tuple(x.shape[-2:])] * len(x)
        answer: Tensor = self.convolution(x)
        return answer


def slow(network: nn.Module, x: Tensor, crop: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    """Average windows pixel by pixel: those that start at multiples of the stride and reach the border."""
    height, width = x.shape[-2:]

    def starts(length: int, size: int, step: int) -> list[int]:
        last = max(length - size, 0)
        return [min(step * index, last) for index in range(math.ceil(last / step) + 1)]

    sums = np.zeros((4, height, width))
    hits = np.zeros((height, width), int)
    for top in starts(height, crop[0], stride[0]):
        for left in starts(width, crop[1], stride[1]):
            part = x[:, :, top : top + crop[0], left : left + crop[1]]
            with torch.inference_mode():
                answer = nn.functional.interpolate(network(part), part.shape[-2:], mode="bilinear")[0].numpy()
            for row in range(part.shape[2]):
                for column in range(part.shape[3]):
                    sums[:, top + row, left + column] += answer[:, row, column]
                    hits[top + row, left + column] += 1
    assert hits.min() > 0
    return torch.from_numpy(sums / hits)[None]


@every_size
@pytest.mark.parametrize("stride", [(1, 1), (11, 16), (16, 24)])
def test_windows_cover_every_pixel_and_stay_inside(size: tuple[int, int], stride: tuple[int, int]) -> None:
    hits = np.zeros(size, int)
    for window in windows(size, dataclasses.replace(CARD, stride=stride)):
        hits[window.rows, window.columns] += 1
        assert (window.rows.stop - window.rows.start, window.columns.stop - window.columns.start) == (16, 24)
        assert window.rows.stop <= size[0]
        assert window.columns.stop <= size[1]
    assert hits.min() >= 1


def test_windows_are_those_of_mmsegmentation_on_cityscapes() -> None:
    card = dataclasses.replace(CARD, crop_size=(769, 769), stride=(513, 513))
    found = windows((1025, 2049), card)
    assert sorted({window.rows.start for window in found}) == [0, 256]
    assert sorted({window.columns.start for window in found}) == [0, 513, 1026, 1280]
    assert len(found) == 8


@every_size
@pytest.mark.parametrize("stride", [1, 4])
def test_sliding_equals_a_slow_definition(size: tuple[int, int], stride: int) -> None:
    network = Toy(stride)
    x = preprocess(rgb(*size), WHOLE)

    def score(part: Tensor) -> Tensor:
        return nn.functional.interpolate(network(part), part.shape[-2:], mode="bilinear")

    with torch.inference_mode():
        found = slide(score, x, CARD)
    expected = slow(network, x, (16, 24), (11, 16))
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(labels(network, rgb(*size), CARD), expected.argmax(1).numpy())


@every_size
def test_windows_change_nothing_for_a_pointwise_network(size: tuple[int, int]) -> None:
    network, images = Toy(kernel=1), rgb(*size)
    np.testing.assert_array_equal(labels(network, images, CARD), labels(network, images, WHOLE))


def test_overlaps_are_averaged_not_summed() -> None:
    score = iter([1.0, 2.0, 4.0])
    card = dataclasses.replace(CARD, crop_size=(2, 4), stride=(2, 2))
    images = torch.zeros(4, 3, 2, 8)  # four images: one window at a time
    found = slide(lambda part: part.new_full((4, 1, 2, 4), next(score)), images, card)
    assert found[0, 0, 0].tolist() == [1.0, 1.0, 1.5, 1.5, 3.0, 3.0, 4.0, 4.0]


def test_windows_average_probabilities_where_the_card_says_so() -> None:
    network, images = Toy(), rgb(40, 61)
    with torch.inference_mode():
        expected = slow(
            nn.Sequential(network, nn.Softmax(1)), preprocess(images, WHOLE), (16, 24), (11, 16)
        ).argmax(1)
    card = dataclasses.replace(CARD, average="probabilities")
    np.testing.assert_array_equal(labels(network, images, card), expected.numpy())


@pytest.mark.parametrize("together", [1, 3, 100])
def test_windows_together_give_what_each_gives_alone(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliding, "WINDOWS_AT_ONCE", together)
    network, images = Toy(), rgb(40, 61, 2)
    expected = [slow(network, preprocess(image[None], WHOLE), (16, 24), (11, 16)) for image in images]
    np.testing.assert_array_equal(labels(network, images, CARD), torch.cat(expected).argmax(1).numpy())


def test_a_small_image_is_its_own_window() -> None:
    network = Toy()
    found = labels(network, rgb(9, 61), CARD)
    assert found.shape == (1, 9, 61)
    assert set(network.sizes) == {(9, 24)}


class Semseg(nn.Module):
    """Answer as semseg's net_process: probabilities at the input's size, averaged with the mirror image's."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        def probabilities(part: Tensor) -> Tensor:
            return nn.functional.interpolate(
                self.network(part), part.shape[-2:], mode="bilinear", align_corners=True
            ).softmax(1)

        return (probabilities(x) + probabilities(x.flip(3)).flip(3)) / 2


def test_semsegs_protocol_equals_a_slow_definition() -> None:
    images, network = rgb(30, 70), Toy(stride=8)
    card = dataclasses.replace(
        CARD, test_size=(60, 60), resize="long", antialias=False, crop_size=(33, 33), stride=(22, 22),
        average="probabilities", flip=True, size_divisor=8, size_remainder=1, align_corners=True,
    )  # fmt: skip
    plain = dataclasses.replace(WHOLE, test_size=(26, 60), antialias=False)
    framed = nn.functional.pad(preprocess(images, plain), (0, 0, 3, 4))  # 26 rows within 33
    mean = slow(Semseg(network), framed, (33, 33), (22, 22))[:, :, 3:29]
    expected = nn.functional.interpolate(mean, (30, 70), mode="bilinear").argmax(1).numpy()
    found = labels(network, images, card)
    assert (found == expected).mean() > 0.999
    assert set(network.sizes) == {(33, 33)}
    assert len(np.unique(found)) > 2


@pytest.mark.parametrize("remainder", [0, 1])
def test_a_network_that_demands_sizes_gets_whole_windows_of_a_small_image_in_their_middle(
    remainder: Any,
) -> None:
    crop = (16 + remainder, 24 + remainder)
    card = dataclasses.replace(
        CARD, mean=(9.0, 9.0, 9.0), size_divisor=8, size_remainder=remainder, crop_size=crop
    )
    network, seen = Toy(kernel=1), []
    network.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0][0, 0]))
    images = np.full((1, 8, 40, 3), 255, np.uint8)
    labels(network, images, card)
    assert set(network.sizes) == {crop}
    top = (crop[0] - 8) // 2
    assert [bool(row.all()) for row in seen[0]] == [top <= row < top + 8 for row in range(crop[0])]


def test_crops_that_the_network_does_not_take_are_padded() -> None:
    card = dataclasses.replace(CARD, size_divisor=32)
    network, images = Toy(), rgb(40, 61)
    assert labels(network, images, card).shape == (1, 40, 61)
    assert set(network.sizes) == {(32, 32)}


@every_size
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"flip": True},
        {"size_divisor": 8, "size_remainder": 1},
        {"test_mode": "whole", "size_divisor": 8},
        {"test_size": (30, 60), "resize": "fit"},
        {"test_size": (40, 40), "resize": "short", "flip": True, "size_divisor": 32},
    ],
)
def test_network_sizes_tell_what_the_network_gets(size: tuple[int, int], changes: dict[str, Any]) -> None:
    card = dataclasses.replace(CARD, **changes)
    network = Toy()
    labels(network, rgb(*size), card)
    assert sorted(network.sizes) == sorted(network_sizes(size, card))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crop_size": None}, "`crop_size` and `stride`, but got None"),
        ({"stride": None}, "`crop_size` and `stride`, but got"),
        ({"stride": (17, 16)}, "`stride` from 1 to its `crop_size`"),
        ({"stride": (0, 16)}, "`stride` from 1 to its `crop_size`"),
    ],
)
def test_a_card_that_leaves_gaps_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        labels(Toy(), rgb(20, 30), dataclasses.replace(CARD, **changes))
