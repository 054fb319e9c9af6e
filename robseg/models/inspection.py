"""Inspect a file of weights: how it is stored, what it fits, and which published file it may be."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, device

from robseg.errors import InputError
from robseg.models import adapters, catalogue
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.catalogue import ARCHITECTURES, list_cards
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.checkpoints.fetch import recorded_name
from robseg.models.checkpoints.weights import read_checkpoint
from robseg.models.checkpoints.wrapped import fitted_inside

__all__ = ["NEARLY_CONSTANT", "Fitting", "Inspection", "NearlyConstant", "inspect_file"]

# Statistics of batch norm, which are counted and not trained.
VARIANCE = "running_var"
STATISTICS = ("running_mean", VARIANCE)

NEARLY_CONSTANT = 1e-6  # a running variance
EPSILON = 1e-5  # of torch's batch norm; a file does not say which its network uses


@dataclasses.dataclass(frozen=True)
class Fitting:
    """A model whose tensors are exactly those of a file."""

    model: str
    layout: str
    num_classes: int
    options: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class NearlyConstant:
    """A batch norm, `found` of whose channels had a running variance below NEARLY_CONSTANT in training.

    `gain` is the largest factor by which it multiplies one of them.
    """

    layer: str
    found: int
    channels: int
    gain: float


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What is known of a file.

    `dtypes` counts tensors by type. `stubs` names the code that the file asks for, which was not run.
    `nearly_constant` has the layers with such channels, the one with the most first.
    `misfits` says what differs, for each architecture that does not fit. `same` is the id of the model whose
    file has this SHA-256, `named` of the one whose file has this name (or ""), and `alike` are the ids
    of models of the same kind.
    """

    path: Path
    format: str
    size: int
    sha256: str
    tensors: int
    parameters: int
    dtypes: dict[str, int]
    class_names: tuple[str, ...] | None
    stubs: tuple[str, ...]
    nearly_constant: tuple[NearlyConstant, ...]
    fits: tuple[Fitting, ...]
    misfits: dict[str, str]
    same: str
    named: str
    alike: tuple[str, ...]


def inspect_file(path: Path, name: str | None = None) -> Inspection:
    """Inspect a file of weights, comparing it with all architectures, or with the one that is named.

    Raises
    ------
    InputError
        If the file cannot be read, or the architecture is unknown.
    """
    if name is not None:
        architecture(name)
    checkpoint = read_checkpoint(path)
    tensors, sha256 = checkpoint.tensors, sha256_of(path)
    fits, misfits = _compared(tensors, name, path)
    named = catalogue.find_file(path.name)
    recorded = recorded_name(sha256)
    same = _card_of(sha256) or (catalogue.find_file(recorded) if recorded else None)
    return Inspection(
        path=path,
        format=checkpoint.format,
        size=path.stat().st_size,
        sha256=sha256,
        tensors=len(tensors),
        parameters=_parameters(tensors),
        dtypes=dict(Counter(str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values())),
        class_names=checkpoint.class_names,
        stubs=checkpoint.stubs,
        nearly_constant=_nearly_constant(checkpoint.as_float32()),
        fits=fits,
        misfits=misfits,
        same=same.id if same else "",
        named=named.id if named else "",
        alike=tuple(card.id for card in list_cards() if any(_alike(card, fitting) for fitting in fits)),
    )


def _compared(
    tensors: dict[str, Tensor], name: str | None, path: Path
) -> tuple[tuple[Fitting, ...], dict[str, str]]:
    fits, misfits = [], {}
    for one in (name,) if name else ARCHITECTURES:
        try:
            fit = fitted_inside(architecture(one).fit, tensors, str(path))
        except InputError as error:
            misfits[one] = str(error)
        else:
            fits.append(Fitting(one, fit.layout, fit.num_classes, fit.options))
    if not fits and name is None:
        fits += _torchvision(tensors)
    return tuple(fits), misfits


def _torchvision(tensors: dict[str, Tensor]) -> list[Fitting]:
    """Return the models of torchvision that the tensors fit."""
    fits = []
    for card in list_cards("torchvision:*"):
        try:
            foreign = adapters.load(card.id, tensors, device("cpu"))
        except InputError:
            continue
        fits.append(Fitting(card.id, card.layout, foreign.num_classes or 0, {"backbone": card.backbone}))
    return fits


def _card_of(sha256: str) -> Card | None:
    return next((card for card in list_cards() if card.sha256 == sha256), None)


def _alike(card: Card, fitting: Fitting) -> bool:
    """Return whether a card is of a model of that kind, as far as tensors show."""
    return (
        fitting.model in {card.architecture, card.id}
        and card.layout == fitting.layout
        and len(card.class_names) == fitting.num_classes
        and card.backbone == fitting.options.get("backbone", card.backbone)
    )


def _nearly_constant(tensors: Mapping[str, Tensor]) -> tuple[NearlyConstant, ...]:
    layers = []
    for key, variance in tensors.items():
        layer, _, kind = key.rpartition(".")
        weight = tensors.get(f"{layer}.weight")
        if kind == VARIANCE and weight is not None and weight.shape == variance.shape:
            few = variance < NEARLY_CONSTANT
            gains = weight[few].abs() / (variance[few] + EPSILON).sqrt()
            if few.any():
                layers.append(NearlyConstant(layer, int(few.sum()), len(variance), float(gains.max())))
    return tuple(sorted(layers, key=lambda layer: -layer.found))


def _parameters(tensors: Mapping[str, Tensor]) -> int:
    return sum(
        tensor.numel()
        for key, tensor in tensors.items()
        if tensor.is_floating_point() and not key.endswith(STATISTICS)
    )
