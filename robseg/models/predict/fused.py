"""A convolution, its batch norm and its activation in one pass over memory, for prediction on a CPU.

In prediction the norm's statistics are fixed, so the norm can become part of the convolution's weights and
bias; oneDNN applies the activation before it writes a value. torch.compile does the same, but needs a
compiler.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

__all__ = ["fused", "is_fusible"]

# The function that torch's own compiler calls. It is not public: if its signature differs, layers run one
# by one.
SCHEMA = (
    "mkldnn::_convolution_pointwise(Tensor X, Tensor W, Tensor? B, int[] padding, int[] stride, int[] "
    "dilation, int groups, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y"
)

# The names of activations in oneDNN, with their parameters.
ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.Identity: ("none", []),
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
}
# Convolutions with groups are not fused in bfloat16: rounding the norm into the few weights of a depthwise
# convolution changed the class of 0.8 % of pixels, against 0.5 % for layers run one by one (DeepLabV3+ on
# MobileNetV2, CamVid, compared with float32).
DTYPES = (torch.float32, torch.bfloat16)


def is_fusible(conv: nn.Conv2d, norm: nn.BatchNorm2d, activation: nn.Module, x: Tensor) -> bool:
    """Return whether `fused` takes these layers for x; only in inference mode, which has no gradients."""
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
    """Return activation(norm(conv(x))) for layers that `is_fusible` accepts."""
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
    """Return the type in which a convolution of x is computed."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


@functools.cache
def _kernel() -> Any:
    """Return torch's function, None if it is missing or has another signature."""
    found = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
    known = found is not None and str(found.default._schema) == SCHEMA
    return found if known and torch.backends.mkldnn.is_available() else None  # type: ignore[no-untyped-call]
