"""A published file is told from every other one by the names and shapes of its tensors."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models.belonging import check_belongs
from robseg.models.catalogue import CARDS

# Published models, and the fixture with the keys of their files as upstream names them.
FILES = {
    "deeplabv3plus_mv2-vainf@voc2012": "up_vainf_deeplabv3plus_mobilenet_os16",
    "enet-2018@camvid": "up_enet_2018_camvid12",
    "enet-2021@cityscapes": "up_enet_head_cityscapes20",
    "icnet_r18-d8_4xb2-80k_cityscapes-832x832": "mmseg_icnet_r18-d8_cityscapes",
    "mobilenet-v2-d8_deeplabv3plus_4xb2-80k_cityscapes-512x1024": "mmseg_deeplabv3plus_m-v2-d8_cityscapes",
    "pspnet_r18-d8_4xb2-80k_cityscapes-512x1024": "mmseg_pspnet_r18-d8_cityscapes",
    "torchvision:deeplabv3_resnet50": "tv_deeplabv3_resnet50",
}

PSPNET = CARDS["pspnet_r18-d8_4xb2-80k_cityscapes-512x1024"]


@pytest.fixture
def tensors_of(upstream: Callable[[str], Any]) -> Callable[[str], dict[str, Tensor]]:
    """Return a reader of a published file's tensors, whose values do not matter here."""
    return lambda id_: {key: torch.zeros(kind[0]) for key, kind in upstream(FILES[id_]).keys.items()}


@pytest.mark.parametrize("id_", FILES)
def test_a_models_own_file_is_accepted(tensors_of: Callable[[str], dict[str, Tensor]], id_: str) -> None:
    check_belongs(CARDS[id_], tensors_of(id_))


@pytest.mark.parametrize(
    ("id_", "other"),
    [
        ("enet-2018@camvid", "enet-2021@cityscapes"),
        ("deeplabv3plus_mv2-vainf@voc2012", "mobilenet-v2-d8_deeplabv3plus_4xb2-80k_cityscapes-512x1024"),
        ("torchvision:deeplabv3_resnet50", PSPNET.id),
        (PSPNET.id, "icnet_r18-d8_4xb2-80k_cityscapes-832x832"),
    ],
)
def test_another_models_file_is_refused(
    tensors_of: Callable[[str], dict[str, Tensor]], id_: str, other: str
) -> None:
    with pytest.raises(InputError):
        check_belongs(CARDS[id_], tensors_of(other))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backbone", "resnet18"),
        ("class_names", PSPNET.class_names[1:]),
        ("layout", "semseg"),
        ("options", {"channels": 512}),
    ],
)
def test_the_tensors_must_prove_what_the_card_says(
    tensors_of: Callable[[str], dict[str, Tensor]], field: str, value: Any
) -> None:
    with pytest.raises(InputError, match=r"Expected a checkpoint of pspnet_r18.*, but got .* instead of"):
        check_belongs(dataclasses.replace(PSPNET, **{field: value}), tensors_of(PSPNET.id))
