import platform
from typing import Any

import pytest
import torch
from torch import nn

from robseg.models.layers import ConvModule
from robseg.models.predict import fused

SHAPES: dict[str, dict[str, Any]] = {
    "pointwise": {"kernel_size": 1},
    "3x3": {"kernel_size": 3},
    "strided": {"kernel_size": 3, "stride": 2},
    "dilated": {"kernel_size": 3, "dilation": (2, 3)},
    "depthwise": {"kernel_size": 5, "groups": 8, "dilation": 2},
}


def layer(activation: type[nn.Module] | None = nn.ReLU6, **shape: Any) -> ConvModule:
    torch.manual_seed(0)
    module = ConvModule(8, 8, activation=activation, **shape).to(memory_format=torch.channels_last)
    for tensor in (module.bn.weight, module.bn.bias, module.bn.running_mean):
        nn.init.normal_(tensor, std=3)
    nn.init.uniform_(module.bn.running_var, 0.1, 2)
    return module.eval()


def both_ways(
    module: ConvModule, monkeypatch: pytest.MonkeyPatch, autocast: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """The module's result for one input in one pass and layer by layer."""
    x = torch.randn(2, 8, 13, 18).to(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        assert fused.is_fusible(module.conv, module.bn, module.activate, x)
        once = module(x)
        with monkeypatch.context() as patch:
            patch.setattr(fused, "_kernel", lambda: None)
            apart = module(x)
    return once, apart


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, None])
def test_one_pass_equals_layer_by_layer(
    shape: str, activation: type[nn.Module] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, apart = both_ways(layer(activation, **SHAPES[shape]), monkeypatch)
    torch.testing.assert_close(once, apart, rtol=1e-5, atol=1e-5)


def test_autocast_reaches_the_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    once, apart = both_ways(layer(nn.ReLU), monkeypatch, autocast=True)
    assert once.dtype == apart.dtype == torch.bfloat16
    torch.testing.assert_close(once, apart, rtol=0.05, atol=0.1)


def test_depthwise_layers_run_one_by_one_in_bfloat16() -> None:
    module, x = layer(nn.ReLU, kernel_size=3, groups=8), torch.randn(2, 8, 5, 5)
    with torch.inference_mode():
        assert fused.is_fusible(module.conv, module.bn, module.activate, x)
        assert not fused.is_fusible(module.conv, module.bn, module.activate, x.bfloat16())


def test_layers_run_one_by_one_where_gradients_or_statistics_are_wanted() -> None:
    module, x = layer(nn.ReLU), torch.randn(2, 8, 5, 5)
    with torch.no_grad():
        assert not fused.is_fusible(module.conv, module.bn, module.activate, x)
    with torch.inference_mode():
        assert not fused.is_fusible(module.conv, module.bn, nn.LeakyReLU(), x)
        assert not fused.is_fusible(module.conv, module.bn, module.activate, x.double())
        module.train()
        assert not fused.is_fusible(module.conv, module.bn, module.activate, x)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other builds of torch may lack it")
def test_this_torch_has_the_kernel() -> None:
    assert fused._kernel() is not None
