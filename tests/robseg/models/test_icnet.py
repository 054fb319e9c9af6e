"""ICNet: its logits, the options in its checkpoints, and the networks of the same name that are refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.architectures.icnet import CascadeFeatureFusion, ICNet, fit
from robseg.models.backbones import build_backbone
from robseg.models.layouts.published import MMSEG_INPUT

# Small networks, because the tests build many of them.
SMALL: dict[str, Any] = {
    "backbone": "mobilenet_v2",
    "light_channels": (8, 12),
    "pyramid_channels": 16,
    "branch_channels": 20,
    "channels": 8,
    "auxiliary_heads": True,
}


def small(**options: Any) -> ICNet:
    return ICNet(5, **{**SMALL, **options}).eval()


@pytest.fixture(scope="module")
def fixture(upstream: Callable[[str], Any]) -> Any:
    return upstream("mmseg_icnet_r18-d8_cityscapes")


@pytest.fixture(scope="module")
def state_dict(fixture: Any) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = fixture.state_dict()
    return tensors


@pytest.fixture
def network(state_dict: dict[str, Tensor]) -> ICNet:
    return loaded(state_dict)


def loaded(state_dict: dict[str, Tensor], **wrong: Any) -> ICNet:
    """Return the network of a checkpoint, with some options that its tensors do not determine."""
    fitting = fit(state_dict)
    network = ICNet(fitting.num_classes, **{**fitting.options, **wrong})
    network.load_state_dict(fitting.state_dict, strict=True)
    return network.eval()


def difference(fixture: Any, network: nn.Module) -> float:
    with torch.inference_mode():
        return float(fixture.difference(network(fixture.image)))


def test_aligned_corners_are_noticed(fixture: Any, state_dict: dict[str, Tensor]) -> None:
    assert difference(fixture, loaded(state_dict, align_corners=True)) > 1e-2


def test_pooling_that_rounds_down_is_noticed(fixture: Any, network: ICNet) -> None:
    pooling = network.backbone.backbone.maxpool
    assert isinstance(pooling, nn.MaxPool2d)
    pooling.ceil_mode = False
    assert difference(fixture, network) > 1e-2


def test_another_dilation_is_noticed(fixture: Any, network: ICNet) -> None:
    other = build_backbone("resnet18v1c", output_stride=16, maxpool_ceil_mode=True)
    other.load_state_dict(network.backbone.backbone.state_dict())
    network.backbone.backbone = other.eval()
    assert difference(fixture, network) > 1e-2


def test_adding_before_rectifying_is_noticed(fixture: Any, network: ICNet) -> None:
    for module in network.modules():
        if isinstance(module, CascadeFeatureFusion):
            module.conv_low.activate = nn.Identity()
    assert difference(fixture, network) > 1e-2


def test_another_epsilon_is_noticed(fixture: Any, network: ICNet) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    assert difference(fixture, network) > 1e-4


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"auxiliary_heads": False},
        {"backbone": "efficientnet_lite0"},
        {"backbone": "resnet18"},
        {"backbone": "resnet18v1d"},
    ],
    ids=str,
)
def test_a_checkpoint_tells_its_options(changed: dict[str, Any]) -> None:
    network = small(**changed)
    fitting = fit(network.state_dict())
    assert fitting.options == {**SMALL, **changed}
    assert (fitting.num_classes, fitting.layout, fitting.preprocess) == (5, "mmseg", MMSEG_INPUT)
    same = ICNet(5, **fitting.options).eval()
    same.load_state_dict(fitting.state_dict, strict=True)
    images = torch.randn(1, 3, 65, 97, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(same(images), network(images))


@pytest.mark.parametrize(
    ("backbone", "middle"),
    # A ResNet's pooling rounds up, padding included.
    [("resnet18v1c", (9, 13)), ("mobilenet_v2", (8, 12)), ("efficientnet_lite0", (8, 12))],
)
def test_each_branch_has_its_share_of_the_image(backbone: str, middle: tuple[int, int]) -> None:
    with torch.inference_mode():
        maps = small(backbone=backbone).backbone(torch.zeros(1, 3, 128, 192))
    assert [tuple(x.shape[-2:]) for x in maps] == [(16, 24), middle, (4, 6)]


def test_heads_are_guided_from_coarse_to_fine() -> None:
    with torch.inference_mode():
        network = small()
        images = torch.randn(1, 3, 128, 192, generator=torch.Generator().manual_seed(0))
        heads = network.heads(images)
        torch.testing.assert_close(heads[0], network(images))
    assert [tuple(logits.shape[-2:]) for logits in heads] == [(16, 24), (8, 12), (16, 24)]


def test_a_small_network_fits_into_ten_megabytes_of_halves() -> None:
    network = ICNet(19, "mobilenet_v2", pyramid_channels=128, branch_channels=128, channels=64)
    assert 2 * sum(tensor.numel() for tensor in network.state_dict().values()) < 10e6


@pytest.mark.parametrize(
    ("key", "upstream_name"),
    [
        ("pretrained.conv1.0.weight", "liminn/ICNet-pytorch"),
        ("conv1_1_3x3_s2.weight", r"hszhao/ICNet \(Caffe\)"),
        ("convbnrelu1_1.cbr_unit.0.weight", r"hszhao/ICNet \(Caffe"),
    ],
)
def test_another_network_of_that_name_is_refused(key: str, upstream_name: str) -> None:
    with pytest.raises(InputError, match=f"got one of {upstream_name}.*cannot be converted"):
        fit({key: torch.zeros(32, 3, 3, 3)})


def test_a_backbone_that_cannot_be_halved_is_reported() -> None:
    with pytest.raises(InputError, match="Unknown backbone of ICNet 'hrnet_w18'"):
        ICNet(5, "hrnet_w18")


def test_a_missing_and_a_surplus_tensor_are_named() -> None:
    tensors = small().state_dict()
    del tensors["backbone.conv_sub4.bn.bias"]
    tensors["neck.extra"] = torch.zeros(1)
    with pytest.raises(InputError, match=r"missing \(backbone\.conv_sub4\.bn\.bias\).*neck\.extra"):
        fit(tensors)
