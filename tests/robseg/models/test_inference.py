"""The test protocol step by step: channel order, resizing, normalisation, padding, flips, argmax."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.predict import inference
from robseg.models.predict.inference import labels, preprocess
from robseg.models.predict.sizes import divisible, padded_size, resized_size
from tests.robseg.models.images import rgb

CARD = Card("m", "enet", "toy", ("a", "b", "c"))
PLAIN = dataclasses.replace(CARD, std=(1.0, 1.0, 1.0))


class Brightest(nn.Module):
    """Answer with the strongest input channel, at a fraction of the size."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride]


class Seen(nn.Module):
    """Remember the sizes of its inputs, and answer with the strongest channel."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.inputs.append(x.clone())
        return x


def convolution(num_classes: int = 3) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Conv2d(3, num_classes, 3, padding=1).eval()


def bilinear(image: Any, height: int, width: int) -> Any:
    """Return OpenCV's INTER_LINEAR by its definition: pixels are samples at the centres of unit squares."""
    for axis, length in enumerate((height, width)):
        old = image.shape[axis]
        at = np.clip((np.arange(length) + 0.5) * old / length - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, old - 1)
        share = np.expand_dims(at - low, [other for other in range(image.ndim) if other != axis])
        image = image.take(low, axis) * (1 - share) + image.take(high, axis) * share
    return image


def test_channels_come_in_the_cards_order() -> None:
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[..., 0] = 200
    assert (labels(Brightest(), image, CARD) == 0).all()
    assert (labels(Brightest(), image, dataclasses.replace(CARD, channel_order="BGR")) == 2).all()


def test_means_and_deviations_are_in_the_cards_channel_order() -> None:
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[..., 0] = 100
    card = dataclasses.replace(CARD, channel_order="BGR", mean=(1.0, 2.0, 60.0), std=(1.0, 2.0, 4.0))
    assert preprocess(image, card)[0, :, 0, 0].tolist() == [-1.0, -1.0, 10.0]


def test_pixels_are_normalised_on_the_scale_of_bytes() -> None:
    image = np.full((1, 2, 2, 3), 100, np.uint8)
    card = dataclasses.replace(CARD, mean=(100.0, 90.0, 0.0), std=(1.0, 5.0, 50.0))
    assert preprocess(image, card)[0, :, 0, 0].tolist() == [0.0, 2.0, 2.0]


def test_padding_is_zeros_at_the_bottom_and_on_the_right() -> None:
    card = dataclasses.replace(CARD, mean=(50.0, 50.0, 50.0), size_divisor=8)
    x = preprocess(np.full((1, 9, 15, 3), 255, np.uint8), card)
    assert x.shape == (1, 3, 16, 16)
    assert (x[..., :9, :15] > 0).all()
    assert not x[..., 9:, :].any()
    assert not x[..., 15:].any()


@pytest.mark.parametrize("size", [(40, 50), (90, 30), (200, 333)])
def test_with_antialiasing_images_are_resized_as_pillow_does(size: tuple[int, int]) -> None:
    image = rgb(90, 121)
    ours = preprocess(image, dataclasses.replace(PLAIN, test_size=size))[0].permute(1, 2, 0).numpy()
    theirs = Image.fromarray(image[0]).resize(size[::-1], Image.Resampling.BILINEAR)
    # Pillow rounds twice, after rows and after columns.
    assert np.abs(ours - np.asarray(theirs, np.float32)).max() <= 1.0


@pytest.mark.parametrize("size", [(40, 50), (90, 30), (200, 333)])
def test_without_antialiasing_images_are_resized_as_opencv_does(size: tuple[int, int]) -> None:
    image = rgb(90, 121)
    card = dataclasses.replace(PLAIN, test_size=size, antialias=False)
    ours = preprocess(image, card)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, bilinear(image[0].astype(float), *size), atol=5e-3)


@pytest.mark.parametrize(
    ("rule", "test_size", "size", "expected"),
    [
        ("exact", (360, 480), (500, 100), (360, 480)),
        ("fit", (1024, 2048), (1024, 2048), (1024, 2048)),
        ("fit", (1024, 2048), (2048, 1024), (2048, 1024)),
        ("fit", (512, 2048), (375, 500), (512, 683)),
        ("fit", (512, 2048), (375, 502), (512, 685)),
        ("fit", (512, 2048), (1024, 1025), (512, 513)),
        ("fit", (512, 2048), (100, 1000), (205, 2048)),
        ("fit", (2048, 512), (100, 1000), (205, 2048)),
        ("fit", (1025, 2049), (1024, 2048), (1025, 2049)),
        ("fit", (8, 32), (1, 1000), (1, 32)),
        ("short", (520, 520), (375, 500), (520, 693)),
        ("short", (520, 520), (500, 333), (780, 520)),
        ("short", (520, 520), (480, 480), (520, 520)),
        ("bounded", (800, 1333), (480, 640), (800, 1066)),
        ("bounded", (800, 1333), (640, 480), (1066, 800)),
        ("bounded", (800, 1333), (500, 1000), (666, 1333)),
        ("bounded", (64, 90), (333, 333), (64, 64)),
        ("long", (512, 512), (375, 500), (384, 512)),
        ("long", (512, 512), (500, 333), (512, 341)),
        ("long", (2048, 2048), (1024, 2048), (1024, 2048)),
    ],
)
def test_resizing_rules_round_as_their_upstreams(
    rule: Any, test_size: tuple[int, int], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    card = dataclasses.replace(CARD, test_size=test_size, resize=rule)
    assert resized_size(size, card) == expected
    assert padded_size(size, dataclasses.replace(card, size_divisor=8)) == tuple(
        -(-side // 8) * 8 for side in expected
    )


@pytest.mark.parametrize(
    ("remainder", "sides"), [(0, {1: 8, 8: 8, 9: 16, 65: 72}), (1, {1: 1, 2: 9, 9: 9, 10: 17, 65: 65})]
)
def test_sides_are_padded_to_multiples_and_a_remainder(remainder: Any, sides: dict[int, int]) -> None:
    card = dataclasses.replace(CARD, size_divisor=8, size_remainder=remainder)
    for side, expected in sides.items():
        assert divisible((side, 8 + remainder), card) == (expected, 8 + remainder)


@pytest.mark.parametrize("remainder", [0, 1])
@pytest.mark.parametrize("size", [(33, 65), (41, 57), (7, 3)])
def test_the_network_gets_sizes_that_it_takes(size: tuple[int, int], remainder: Any) -> None:
    network = Seen()
    labels(network, rgb(*size), dataclasses.replace(CARD, size_divisor=8, size_remainder=remainder))
    assert all(side % 8 == remainder for side in network.inputs[0].shape[-2:])


@pytest.mark.parametrize("divisor", [1, 8])
def test_logits_of_padded_images_stay_in_place(divisor: int) -> None:
    image = np.zeros((1, 41, 57, 3), np.uint8)
    image[:, :20, :, 0], image[:, 20:, :, 1] = 255, 255
    found = labels(Brightest(), image, dataclasses.replace(CARD, size_divisor=divisor))
    assert (found[:, :20] == 0).all()
    assert (found[:, 20:] == 1).all()


@pytest.mark.parametrize("align_corners", [True, False])
def test_coarse_logits_are_resized_with_the_cards_corners(align_corners: bool) -> None:
    image = rgb(33, 65)
    card = dataclasses.replace(CARD, align_corners=align_corners)
    logits = torch.nn.functional.interpolate(
        preprocess(image, card)[:, :, ::8, ::8], (33, 65), mode="bilinear", align_corners=align_corners
    )
    np.testing.assert_array_equal(labels(Brightest(8), image, card), logits.argmax(1).numpy())


@pytest.mark.parametrize("align_corners", [True, False])
def test_logits_come_to_the_inputs_size_and_then_to_the_images(align_corners: bool) -> None:
    image = rgb(61, 90)
    card = dataclasses.replace(CARD, test_size=(30, 44), size_divisor=8, align_corners=align_corners)
    x = preprocess(image, card)[:, :, ::4, ::4]
    for size in ((32, 48), (61, 90)):
        x = torch.nn.functional.interpolate(x, size, mode="bilinear", align_corners=align_corners)
        x = x[..., :30, :44] if size == (32, 48) else x
    np.testing.assert_array_equal(labels(Brightest(4), image, card), x.argmax(1).numpy())


def test_probabilities_are_resized_to_the_image_as_opencv_does() -> None:
    image = rgb(45, 70)
    card = dataclasses.replace(PLAIN, test_size=(24, 24), average="probabilities", align_corners=True)
    probabilities = preprocess(image, card).softmax(1)[0].permute(1, 2, 0).numpy()
    expected = bilinear(probabilities.astype(float), 45, 70)
    found = labels(Brightest(), image, card)[0]
    best = np.sort(expected, axis=-1)
    clear = best[..., -1] - best[..., -2] > 1e-4
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(found[clear], expected.argmax(-1)[clear])


@pytest.mark.parametrize("values", [1, 5000, 10**9])
def test_resizing_some_classes_at_a_time_changes_no_label(
    values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, card, network = rgb(45, 70, 2), dataclasses.replace(CARD, test_size=(24, 40)), convolution(11)
    expected = labels(network, image, card)
    monkeypatch.setattr(inference, "VALUES_AT_ONCE", values)
    np.testing.assert_array_equal(labels(network, image, card), expected)
    assert len(np.unique(expected)) > 5


@pytest.mark.parametrize("rule", ["exact", "fit", "short", "long", "bounded"])
@pytest.mark.parametrize("size", [(61, 90), (90, 61), (1, 1), (3, 200)])
def test_labels_come_as_bytes_at_the_images_size_whatever_the_test_size(
    rule: Any, size: tuple[int, int]
) -> None:
    card = dataclasses.replace(CARD, test_size=(30, 44), resize=rule, size_divisor=8)
    found = labels(Brightest(2), rgb(*size), card)
    assert found.shape == (1, *size)
    assert found.dtype == np.uint8


@pytest.mark.parametrize("average", ["logits", "probabilities"])
@pytest.mark.parametrize("divisor", [1, 8])
def test_with_flip_a_mirrored_image_has_mirrored_labels(average: Any, divisor: int) -> None:
    image, network = rgb(21, 30), convolution()
    card = dataclasses.replace(PLAIN, average=average, size_divisor=divisor, flip=True)
    straight, mirrored = labels(network, image, card), labels(network, image[:, :, ::-1], card)
    assert (straight == mirrored[:, :, ::-1]).mean() > 0.999  # except for ties of rounding
    without = dataclasses.replace(card, flip=False)
    assert (labels(network, image, without) != straight).any()


def test_flips_average_probabilities_or_logits_as_the_card_says() -> None:
    image, network = rgb(12, 17), convolution()
    for average in ("logits", "probabilities"):
        card = dataclasses.replace(CARD, std=(20.0, 20.0, 20.0), average=average, flip=True)
        with torch.inference_mode():
            x = preprocess(image, card)
            answers = [network(x), network(x.flip(3)).flip(3)]
        if average == "probabilities":
            answers = [answer.softmax(1) for answer in answers]
        expected = (answers[0] + answers[1]).argmax(1).numpy()
        np.testing.assert_array_equal(labels(network, image, card), expected)


@pytest.mark.parametrize("values", [1, 10**9])
def test_the_confidence_of_scores_is_their_share(values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "VALUES_AT_ONCE", values)
    image, network = rgb(12, 17), torch.nn.Sequential(convolution(), torch.nn.Softplus())
    card = dataclasses.replace(CARD, average="scores")
    found = inference.predicted(network, image, card, confidence=True)
    with torch.inference_mode():
        scores = network(preprocess(image, card))
    np.testing.assert_array_equal(found.labels, scores.argmax(1).numpy())
    expected = (scores.amax(1) / scores.sum(1)).numpy()
    np.testing.assert_allclose(found.confidence, expected, rtol=1e-5)


@pytest.mark.parametrize("divisor", [1, 16])
def test_logits_are_resized_once_except_where_padding_is_cut_off(divisor: int) -> None:
    image = rgb(40, 50)
    network = torch.nn.Sequential(convolution(11), torch.nn.AvgPool2d(4))
    twice = dataclasses.replace(PLAIN, test_size=(24, 36), size_divisor=divisor)
    once = dataclasses.replace(twice, resize_logits="once")
    with torch.inference_mode():
        logits = network(preprocess(image, once))
    expected = torch.nn.functional.interpolate(logits, (40, 50), mode="bilinear").argmax(1).numpy()
    found = labels(network, image, once)
    assert (found == labels(network, image, twice)).all() == (divisor == 16)
    if divisor == 1:
        np.testing.assert_array_equal(found, expected)


def test_images_of_a_batch_do_not_touch_each_other() -> None:
    images, network = rgb(20, 30, 3), convolution()
    card = dataclasses.replace(CARD, test_size=(16, 24), resize="fit", flip=True)
    each = [labels(network, image[None], card)[0] for image in images]
    np.testing.assert_array_equal(labels(network, images, card), np.stack(each))


def test_bfloat16_gives_nearly_the_same_labels() -> None:
    image, network = rgb(24, 40), convolution()
    card = dataclasses.replace(CARD, test_mode="slide", crop_size=(16, 16), stride=(8, 8), flip=True)
    exact = labels(network, image, card)
    assert (labels(network, image, card, precision="bf16") == exact).mean() > 0.97


def test_labels_beyond_a_byte_are_refused() -> None:
    assert labels(convolution(255), rgb(8, 8), CARD).dtype == np.uint8
    with pytest.raises(InputError, match=r"at most 255 classes, .* but got 256"):
        labels(convolution(256), rgb(8, 8), CARD)
