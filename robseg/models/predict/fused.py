"""A convolution, its batch norm and its activation in one pass over memory, where a CPU predicts.

The norm's statistics are fixed then, so that it is part of the convolution's weights and bias; oneDNN applies
the activation before it writes a value. torch.compile does the same, but needs a compiler on the machine.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

__all__ = ["fused", "is_fusible"]

# What torch's own compiler calls. It is not public: where it looks otherwise, layers run one by one.
SCHEMA = (
    "mkldnn::_convolution_pointwise(Tensor X, Tensor W, Tensor? B, int[] padding, int[] stride, int[] "
    "dilation, int groups, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y"
)

# Activations as oneDNN calls them, with their numbers.
ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.Identity: ("none", []),
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
}
# No groups in bfloat16: depthwise convolutions, rounded with the norm in their few weights, gave 0.8 % of
# pixels another class than float32 does, and one by one 0.5 % (DeepLabV3+ on MobileNetV2, CamVid).
DTYPES = (torch.float32, torch.bfloat16)


def is_fusible(conv: nn.Conv2d, norm: nn.BatchNorm2d, activation: nn.Module, x: Tensor) -> bool:
    """Return whether `fused` can take these layers for x; only in inference mode, which has no gradients."""
    return (
        torch.is_inference_mode_enabled()
        and not norm.training
        and x.device.type == "cpu"
        and _dtype(x) in (DTYPES if conv.groups == 1 else DTYPES[:1])
        and type(conv) is nn.Conv2d
        and type(activation) in ACTIVATIONS
        and _kernel() is not None
    )


def fused(conv: nn.Conv2d, norm: nn.BatchNorm2d, activation: nn.Module, x: Tensor) -> Tensor:
    """Return activation(norm(conv(x))), of fusible layers."""
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    weight = conv.weight * scale.view(-1, 1, 1, 1)
    bias = norm.bias - mean * scale  # oneDNN adds it in float32, whatever the weights are
    dtype, (name, numbers) = _dtype(x), ACTIVATIONS[type(activation)]
    kernel = cast(Callable[..., Tensor], _kernel())
    return kernel(
        x.to(dtype),
        weight.to(dtype),
        bias,
        conv.padding,
        conv.stride,
        conv.dilation,
        conv.groups,
        name,
        numbers,
        "",
    )


def _dtype(x: Tensor) -> torch.dtype:
    """Return the type that a convolution of x computes in."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


@functools.cache
def _kernel() -> Any:
    """Return torch's kernel, None where there is none of this signature."""
    found = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
    known = found is not None and str(found.default._schema) == SCHEMA
    return found if known and torch.backends.mkldnn.is_available() else None  # type: ignore[no-untyped-call]
