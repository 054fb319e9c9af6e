"""A network and its card, ready to label images."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from reports.run.typed import shown
from robseg.errors import InputError
from robseg.models import adapters, catalogue
from robseg.models.base import WRONG_OPTIONS, Fit, architecture
from robseg.models.belonging import check_belongs
from robseg.models.card import Card
from robseg.models.card_fields import CardFields, card_fields, check_options, check_single_output, overridden
from robseg.models.catalogue import architecture_of, card_beside, resolve
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.checkpoints.fetch import weights_path
from robseg.models.checkpoints.weights import (
    read_checkpoint,
    read_weights,
    sha256_of_tensors,
    unwrapped,
)
from robseg.models.checkpoints.wrapped import fitted_inside
from robseg.models.foreign.description import described
from robseg.models.foreign.reading import GIVEN, Weights, last_line
from robseg.models.predict.batch import Batch
from robseg.models.predict.inference import Precision, check_precision, open_device, predicted
from robseg.models.predict.prediction import Prediction
from robseg.models.predict.sizes import Size, network_sizes
from robseg.models.predict.threads import prepare_thread

__all__ = ["Model", "load_model"]


@dataclasses.dataclass(frozen=True)
class Model:
    """A network in eval mode and how to feed it.

    `network` maps normalised float (N, 3, H, W) to the main head's logits before any resize. `sha256` is that
    of the weights' file, or of the tensors if they did not come from a file; it is "" for a plain callable.
    A model can be pickled, unless a user's own network cannot.
    """

    card: Card
    network: nn.Module
    sha256: str
    device: torch.device
    precision: Precision = "fp32"
    parts: ClassVar[tuple[()]] = ()

    @property
    def name(self) -> str:
        """The card's id."""
        return self.card.id

    @property
    def identity(self) -> str:
        """What the labels depend on: the SHA-256 of the weights, and a digest of the card."""
        return f"{self.sha256}/{self.card.digest}"

    @property
    def facts(self) -> Mapping[str, str]:
        """How labels are resized, and the type of the weights that it is computed in, where not as usual."""
        facts = {"label_resizing": "nearest"} if getattr(self.network, "labels_only", False) else {}
        dtype = getattr(self.network, "dtype", torch.float32)
        return facts if dtype == torch.float32 else {**facts, "weights": str(dtype).removeprefix("torch.")}

    @property
    def parameters(self) -> int | None:
        """The number of trained values, None for a callable that does not show them."""
        hidden = getattr(self.network, "hidden_parameters", 0)
        return hidden + sum(parameter.numel() for parameter in self.network.parameters()) or None

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the class of each pixel, uint8 (N, H, W), of uint8 RGB images (N, H, W, 3)."""
        return Batch(images).result(self).labels

    def compute(self, batch: Batch) -> Prediction:
        """Return the prediction for a batch.

        Raises
        ------
        InputError
            If the batch asks for confidences, and the model answers labels without any.
        """
        if batch.confidence and getattr(self.network, "labels_only", False):
            raise InputError(
                f"Expected {self.name} to say how confident it is, but it answers labels alone: give a model "
                "that answers logits, or leave out what needs confidences."
            )
        prepare_thread()
        return predicted(self.network, batch.images, self.card, self.device, self.precision, batch.confidence)

    def gmacs(self, height: int, width: int) -> float | None:
        """Return the billions of multiply-accumulates for one image of that size.

        The result is None if torch sees no computation, as in a model of another runtime.
        """
        sizes = Counter(network_sizes((height, width), self.card))
        return sum(count * self._flops(size) for size, count in sizes.items()) / 2e9 or None

    def _flops(self, size: Size) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            self.network(torch.zeros(1, 3, *size, device=self.device))
        return int(counter.get_total_flops())


def load_model(
    spec: str | Callable[..., Any],
    weights: Weights | None = None,
    device: str | torch.device = "cpu",
    precision: Precision = "fp32",
    class_names: Sequence[str] | None = None,
    card: CardFields | None = None,
) -> Model:
    """Load one of our models by its id or its architecture, or any other model (see docs/your-model.md).

    Parameters
    ----------
    spec
        `enet@streets`, `enet`; `py:package.module:factory`, `torchvision:NAME`, `hf:ORG/NAME`, `smp:NAME`,
        `onnx:FILE`, `openvino:FILE`, `pt2:FILE`, `ts:FILE`; an nn.Module or a callable from float
        (N, 3, H, W) to logits (N, C, h, w) or integer labels (N, H, W).
    weights
        A checkpoint file (torch or safetensors) or a state dict, in our own layout or a published one; None
        for the weights that come with the model. A JSON file of the same stem beside a safetensors file is
        its card.
    device
        A device of torch, such as `cpu`, `cuda` or `cuda:1`.
    precision
        fp32, bf16, or fp16 (GPU only).
    class_names
        The names of the outputs, if neither the file nor its layout states them and their number fits.
    card
        A Card to use in place of the model's own, or some fields of one ({"mean": ...}).

    Examples
    --------
    >>> from robseg.models.architectures.enet import ENet
    >>> model = load_model("enet", ENet(2).state_dict(), class_names=["road", "sky"])
    >>> model.predict(np.zeros((1, 32, 48, 3), np.uint8)).shape
    (1, 32, 48)
    >>> load_model(lambda images: images, class_names=["red", "green", "blue"]).card.class_names
    ('red', 'green', 'blue')
    """
    place = open_device(device)
    check_precision(precision, place)
    prepare_thread()
    fields = card_fields(card)
    if not isinstance(spec, str) or adapters.adapter_of(spec):
        foreign = adapters.load(spec, weights, place, fields.get("options"))
        network = foreign.network.to(place)
        return Model(
            described(foreign, fields, class_names, place), network, foreign.sha256, place, precision
        )
    if catalogue.is_weights_file(spec):
        raise InputError(
            f"Expected the name of a model, but got the weights file {spec}: name its architecture and give "
            f"the file as weights, or write ts:{spec} if it is a TorchScript program that you trust."
        )
    own, network, sha256 = _load(spec, weights, class_names, fields)
    network = network.eval().to(place).to(memory_format=torch.channels_last)
    return Model(own, network, sha256, place, precision)


def _load(
    spec: str, weights: Weights | None, class_names: Sequence[str] | None, fields: Mapping[str, Any]
) -> tuple[Card, nn.Module, str]:
    """Return a network of our own architectures with its card and the SHA-256 of its weights."""
    known = catalogue.find(spec)
    name = architecture_of(spec)
    if weights is None:
        card = resolve(spec)
        fit, sha256 = _fit_file(card, weights_path(card, check_belongs))
    elif isinstance(weights, Mapping):
        fit = fitted_inside(architecture(name).fit, unwrapped(weights, GIVEN), GIVEN)
        card = _card(known, name, "state_dict", fit, class_names)
        sha256 = sha256_of_tensors(fit.state_dict)
    else:
        card, fit, sha256 = _from_file(known, name, Path(weights), class_names)
    card = overridden(card, fields)
    check_single_output(card)
    # What the tensors prove stands above the options of a card that came with a model, not of a user's.
    check_options(card.id, fields, {**card.options, **fit.options})
    if len(card.class_names) != fit.num_classes:
        raise InputError(
            f"Expected the card of {card.id} to name its {fit.num_classes} classes, but got "
            f"{len(card.class_names)}: correct its class_names."
        )
    _check_finite(fit.state_dict, card.id)
    # What the tensors prove overrides what the card says.
    card = dataclasses.replace(card, options={**card.options, **fit.options})
    return card, _built(card, fit), sha256


def _built(card: Card, fit: Fit) -> nn.Module:
    """Return the network of a card with the weights of a fit; a user may have changed the card."""
    try:
        network = architecture(card.architecture).build(fit.num_classes, **card.options)
        network.load_state_dict(fit.state_dict, strict=True)
    except InputError:
        raise
    except WRONG_OPTIONS as error:
        raise InputError(
            f"Expected the card of {card.id} to have an architecture and options that fit its weights, but "
            f"got {card.architecture} with {shown(card.options)} ({last_line(error)}): correct the card."
        ) from error
    return network


def _from_file(
    known: Card | None, name: str, path: Path, class_names: Sequence[str] | None
) -> tuple[Card, Fit, str]:
    """Return a file's card, fit and SHA-256; the card lies beside it or is found by the file's name."""
    card = card_beside(path)
    if card is not None:
        if card.architecture != name:
            raise InputError(
                f"Expected a checkpoint of {name}, but the card beside {path} says {card.architecture}: "
                "name that model."
            )
        return dataclasses.replace(card, id=f"{name}:{path.stem}"), *_fit_file(card, path)
    checkpoint = read_checkpoint(path)
    fit = fitted_inside(architecture(name).fit, checkpoint.as_float32(), str(path))
    if fit.class_names is None and len(checkpoint.class_names or ()) == fit.num_classes:
        fit = dataclasses.replace(fit, class_names=checkpoint.class_names)
    if known is None:
        named = catalogue.find_file(path.name)
        known = named if named is not None and named.architecture == name else None
    return _card(known, name, path.stem, fit, class_names), fit, sha256_of(path)


def _fit_file(card: Card, path: Path) -> tuple[Fit, str]:
    """Return how a file with a card fits; the file must be the one that the card describes."""
    tensors = read_weights(path)
    sha256 = sha256_of(path)
    if card.sha256 and card.sha256 != sha256:
        raise InputError(
            f"Expected {path} to have its card's SHA-256 {card.sha256[:12]}..., but got {sha256[:12]}...: "
            "the file is damaged or belongs to another card; fetch both again."
        )
    fit = fitted_inside(architecture(card.architecture).fit, tensors, str(path))
    if fit.num_classes != len(card.class_names):
        raise InputError(
            f"Expected {path} to answer the {len(card.class_names)} classes of its card, "
            f"but it has {fit.num_classes} outputs: correct the card."
        )
    return fit, sha256


def _check_finite(tensors: Mapping[str, Tensor], title: str) -> None:
    """Raise InputError if a weight is NaN or infinite; answers may hide it: a fused ReLU makes 0 of NaN."""
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise InputError(
                f"Expected finite weights of {title}, but {key} has NaN or infinity: use a checkpoint from "
                "before the training diverged, or download the file again if it is damaged."
            )


def _card(known: Card | None, name: str, stem: str, fit: Fit, class_names: Sequence[str] | None) -> Card:
    """Return a card for weights that came without one; `known` is the card of the model they replace."""
    names = fit.class_names
    if known is not None and len(known.class_names) == fit.num_classes:
        names = known.class_names
    if names is None and class_names is not None and len(class_names) == fit.num_classes:
        names = tuple(class_names)
    preprocess = {"size_divisor": architecture(name).size_divisor, **fit.preprocess}
    card = Card(id="", architecture=name, dataset="", class_names=(), options=fit.options, **preprocess)
    if known is not None:
        card = dataclasses.replace(
            known,
            weights_urls=(),
            weights_file="",
            sha256="",
            published_miou=None,
            published_interval=None,
            published_protocol="",
            published_precision="",
            trained_on="",
            citation="",
            source="",
        )
    return dataclasses.replace(
        card,
        id=f"{name}:{stem}",
        class_names=names or tuple(f"class {index}" for index in range(fit.num_classes)),
    )
