import copy
from typing import Any

import pytest
import torch
from torch import nn

from robseg.models.base import architecture
from robseg.training.quick import QuickDepthwise, QuickPReLU, quicken

DEPTHWISE: dict[str, dict[str, Any]] = {
    "plain": {"padding": 1},
    "dilated": {"dilation": 2, "padding": 2},
    "dilated differently": {"dilation": (2, 3), "padding": (2, 3)},
    "large": {"kernel_size": 5, "dilation": 4, "padding": 8},
    "without padding": {"dilation": 2},
    "strided": {"stride": 2, "padding": 1},
    "strided, without padding": {"stride": 2},
    "strided and dilated": {"stride": 2, "dilation": 2, "padding": 2},
}


def gradients(layer: nn.Module, x: torch.Tensor, of_y: torch.Tensor) -> list[torch.Tensor]:
    """The result, and the gradients of the input and of the parameters."""
    x = x.clone().requires_grad_()
    y = layer(x)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], of_y)]


def assert_same(layer: nn.Module, x: torch.Tensor) -> None:
    of_y = torch.randn_like(layer(x).detach())
    quick = copy.deepcopy(layer)
    quicken(quick)
    assert type(quick) is not type(layer)
    for ours, torchs in zip(gradients(quick, x, of_y), gradients(layer, x, of_y), strict=True):
        torch.testing.assert_close(ours, torchs)


@pytest.mark.parametrize("name", DEPTHWISE)
@pytest.mark.parametrize("size", [(33, 20), (9, 14), (24, 24)])
def test_a_quick_depthwise_convolution_is_torchs(name: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 4, **{"kernel_size": 3, "groups": 4, **DEPTHWISE[name]}).double()
    assert_same(layer, torch.randn(2, 4, *size, dtype=torch.double))


@pytest.mark.parametrize("slope", [0.25, 0.0, -0.5, 2.0])
def test_a_quick_prelu_is_torchs(slope: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 5, 6, dtype=torch.double)
    x[0, 0, 0, 0] = 0
    assert_same(nn.PReLU(init=slope).double(), x)


def test_only_what_is_slow_is_quickened_and_weights_keep_their_names() -> None:
    network = architecture("deeplabv3plus").build(3, backbone="mobilenet_v2", channels=8)
    before = network.state_dict()
    quicken(network)
    assert network.state_dict().keys() == before.keys()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            assert isinstance(module, QuickDepthwise) == (module.groups > 1)
    many = nn.Sequential(nn.PReLU(4), nn.Conv2d(4, 8, 3, groups=4), nn.PReLU())
    quicken(many)
    assert [type(module) for module in many] == [nn.PReLU, nn.Conv2d, QuickPReLU]
