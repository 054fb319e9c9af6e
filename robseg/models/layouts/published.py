"""Convert a published checkpoint to our names, with the options and card fields that its layout implies."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from robseg.models.base import Fit, Network
from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD
from robseg.models.checkpoints.weights import fitted

__all__ = [
    "MMSEG_INPUT",
    "Published",
    "fit_published",
    "renamed",
    "without_abs",
    "without_biases",
]

# Card fields of all mmsegmentation configurations of our architectures; OpenCV resizes without averaging.
MMSEG_INPUT: dict[str, Any] = {
    "mean": IMAGENET_MEAN,
    "std": IMAGENET_STD,
    "channel_order": "RGB",
    "antialias": False,
}

ABN_EPS = 1e-5


@dataclasses.dataclass(frozen=True)
class Published:
    """A checkpoint's tensors with our names, and the options and Card fields that its layout implies."""

    layout: str
    tensors: dict[str, Tensor]
    preprocess: dict[str, Any] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


def fit_published(
    published: Published,
    title: str,
    build: Callable[..., Network],
    num_classes: int,
    shown: Mapping[str, Any],
    class_names: tuple[str, ...] | None = None,
) -> Fit:
    """Return how a checkpoint fits a network built with the `shown` options and those of its layout.

    Raises
    ------
    InputError
        If tensors are missing, left over or have another shape.
    """
    options = {**shown, **published.options}
    with torch.device("meta"):
        expected = build(num_classes, **options).state_dict()
    return Fit(
        layout=published.layout,
        num_classes=num_classes,
        options=options,
        state_dict=fitted(title, published.tensors, expected),
        class_names=class_names,
        preprocess=published.preprocess,
    )


def renamed(tensors: Mapping[str, Tensor], layers: Iterable[tuple[str, str]]) -> dict[str, Tensor]:
    """Return tensors whose layers have our names; `layers` are pairs of their pattern and our name.

    A pattern matches a tensor's whole name except its last part. Names that match no pattern are kept.

    Examples
    --------
    >>> import torch
    >>> list(renamed({"head.0.bias": torch.zeros(1)}, [(r"head\\.(\\d)", r"decode_head.\\1.conv")]))
    ['decode_head.0.conv.bias']
    """
    patterns = [(re.compile(theirs), ours) for theirs, ours in layers]

    def name(key: str) -> str:
        layer, _, parameter = key.rpartition(".")
        for pattern, ours in patterns:
            match = pattern.fullmatch(layer)
            if match:
                return f"{match.expand(ours)}.{parameter}"
        return key

    return {name(key): tensor for key, tensor in tensors.items()}


def without_biases(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in which no convolution (`.conv`) before a batch norm (`.bn`) has a bias.

    Batch norm subtracts its running mean from the convolution's output, so the bias moves into that mean.

    Examples
    --------
    >>> import torch
    >>> without_biases({"a.conv.bias": torch.ones(2), "a.bn.running_mean": torch.zeros(2)})
    {'a.bn.running_mean': tensor([-1., -1.])}
    """
    folded = dict(tensors)
    for key, bias in tensors.items():
        mean = key.removesuffix(".conv.bias") + ".bn.running_mean"
        if key.endswith(".conv.bias") and mean in tensors:
            folded[mean] = tensors[mean] - bias
            del folded[key]
    return folded


def without_abs(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in which in-place activated batch norms are converted to plain ones.

    They scale by |weight| + 1e-5 (Rota Bulo, Porzi, Kontschieder, 2017, https://arxiv.org/abs/1712.02616).
    Unlike plain batch norms in the same file, they have no `num_batches_tracked`.

    Examples
    --------
    >>> import torch
    >>> norm = {"bn.weight": -torch.ones(1), "bn.running_var": torch.ones(1)}
    >>> without_abs(norm)["bn.weight"] > 1, without_abs(norm | {"bn.num_batches_tracked": 0})["bn.weight"] > 1
    (tensor([True]), tensor([False]))
    """
    plain = dict(tensors)
    for key, weight in tensors.items():
        layer, _, parameter = key.rpartition(".")
        is_norm = parameter == "weight" and f"{layer}.running_var" in tensors
        if is_norm and f"{layer}.num_batches_tracked" not in tensors:
            plain[key] = weight.abs() + ABN_EPS
    return plain
