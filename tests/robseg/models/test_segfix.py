"""SegFix's network, and the offsets that it predicts."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from robseg.errors import InputError
from robseg.models import Model, load_model
from robseg.models.architectures.segfix import DIRECTION_NAMES, SegFix, fit
from robseg.models.base import Network
from robseg.models.refine.directions import DIRECTIONS
from robseg.models.refine.predict import predict_offsets

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 50, 70, 3), dtype=np.uint8)


class Colours(Network):
    """Answers of a pixel's own colour: red is a boundary, green looks up, blue to the right."""

    def heads(self, images: Tensor) -> tuple[Tensor, ...]:
        red, green, blue = images.unbind(dim=1)
        directions = torch.full((len(images), 8, *red.shape[1:]), -9.0)
        directions[:, 2], directions[:, 4] = green, blue
        return directions, torch.stack((torch.full_like(red, 0.5), red), dim=1)


def colours(**fields: Any) -> Model:
    card = load_model("segfix", SegFix(backbone="hrnet_w18_small").state_dict()).card
    plain: dict[str, Any] = {
        "mean": (0.0, 0.0, 0.0),
        "std": (255.0,) * 3,
        "channel_order": "RGB",
        "test_mode": "whole",
    }
    return Model(dataclasses.replace(card, **(plain | fields)), Colours(), "", torch.device("cpu"))


def expected(images: NDArray[np.uint8]) -> NDArray[np.int8]:
    red, green, blue = np.moveaxis(images.astype(int), -1, 0)
    offsets = np.where((green > blue)[..., None], DIRECTIONS[2], DIRECTIONS[4])
    offsets[(red <= 127) | (green == blue)] = 0
    return offsets.astype(np.int8)


def test_channels_are_the_directions_clockwise_from_the_left() -> None:
    vectors = {"left": (0, -1), "up": (-1, 0), "right": (0, 1), "down": (1, 0)}
    for name, vector in zip(DIRECTION_NAMES, DIRECTIONS.tolist(), strict=True):
        parts = [vectors[part] for part in name.split()]
        assert vector == [sum(part[0] for part in parts), sum(part[1] for part in parts)]


@pytest.mark.parametrize(
    "fields",
    [{}, {"test_mode": "slide", "crop_size": (32, 32), "stride": (10, 10)}],
    ids=["whole", "windows"],
)
def test_offsets_are_those_of_the_strongest_direction_near_boundaries(fields: dict[str, object]) -> None:
    images = IMAGES.copy()
    images[..., 2][images[..., 1] == images[..., 2]] ^= 255  # no ties
    np.testing.assert_array_equal(predict_offsets(colours(**fields), images), expected(images))


def test_windows_cover_the_borders() -> None:
    images = np.full((1, 45, 71, 3), 200, np.uint8)
    model = colours(test_mode="slide", crop_size=(32, 32), stride=(20, 30))
    assert predict_offsets(model, images).any(axis=-1).all()


def test_half_precision_changes_few_offsets() -> None:
    torch.manual_seed(0)
    state_dict = SegFix(backbone="mobilenet_v2", channels=16).state_dict()
    full, half = (
        predict_offsets(load_model("segfix", state_dict, precision=precision), IMAGES)
        for precision in ("fp32", "bf16")
    )
    assert full.shape == half.shape == (2, 50, 70, 2)
    assert (full == half).mean() > 0.7


def test_a_network_s_offsets_follow_from_both_heads() -> None:
    torch.manual_seed(0)
    model = load_model("segfix", SegFix(backbone="hrnet_w18_small").state_dict())
    model = dataclasses.replace(model, card=dataclasses.replace(model.card, test_mode="whole"))
    offsets = predict_offsets(model, IMAGES)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (model.card.mean, model.card.std))
    x = (torch.from_numpy(IMAGES[..., ::-1].copy()).permute(0, 3, 1, 2) - mean) / std
    with torch.inference_mode():
        directions, mask = (
            F.interpolate(logits, (50, 70), mode="bilinear", align_corners=True)
            for logits in (lambda d, m: (d, m.softmax(1)))(*model.network.heads(x))  # type: ignore[operator]
        )
    vectors = torch.tensor(DIRECTIONS.tolist())[directions.argmax(1)]
    vectors[mask[:, 1] <= 0.5] = 0
    assert (offsets == vectors.numpy()).mean() > 0.999
    assert len(np.unique(offsets.reshape(-1, 2), axis=0)) > 2


@pytest.mark.parametrize("backbone", ["hrnet_w18_small", "mobilenet_v2", "efficientnet_lite0"])
def test_small_checkpoints_of_ours_tell_their_shape(backbone: str) -> None:
    network = SegFix(backbone=backbone, channels=32)
    fitting = fit(network.state_dict())
    assert fitting.options == {"backbone": backbone, "channels": 32}
    assert fitting.class_names == DIRECTION_NAMES
    with torch.inference_mode():
        directions, mask = network.eval().heads(torch.zeros(1, 3, 65, 97))
    assert directions.shape == (1, 8, 17, 25)
    assert mask.shape == (1, 2, 17, 25)


def test_hrnet2x_has_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        network = SegFix(backbone="hrnet2x_w20")
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 1) == 47.4
    fitting = fit(dict(network.state_dict()))
    assert fitting.options["backbone"] == "hrnet2x_w20"


def test_in_place_activated_heads_are_reported_by_their_names() -> None:
    network = SegFix(backbone="hrnet_w18_small", channels=8, activation="leaky_relu")
    ours = network.state_dict()
    theirs = {
        key.replace("head.1.0.", "head.1."): -tensor if key.endswith("head.1.0.weight") else tensor
        for key, tensor in ours.items()
        if not (key.endswith("num_batches_tracked") and "head" in key)
    }
    fitting = fit(theirs)
    assert fitting.options["activation"] == "leaky_relu"
    torch.testing.assert_close(
        fitting.state_dict["dir_head.1.0.weight"], ours["dir_head.1.0.weight"] + 1e-5, rtol=0, atol=1e-7
    )
    torch.testing.assert_close(fitting.state_dict["backbone.bn1.weight"], ours["backbone.bn1.weight"])


def test_classes_of_one_s_own_are_refused() -> None:
    with pytest.raises(InputError, match="8 directions"):
        SegFix(19)
