"""`smp:ORG/NAME`, `smp:FOLDER`, `smp:ARCHITECTURE/ENCODER`: models of segmentation_models_pytorch."""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from torch import nn

from robseg.errors import InputError, unknown_name
from robseg.models.card import Card
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import (
    Foreign,
    Weights,
    package,
    reading,
    take_weights,
    tensors_of,
    weights_name,
)

__all__ = ["load"]

PACKAGE = "segmentation_models_pytorch"

# What the spec and the weights say.
SHOWN = {"encoder_name", "encoder_weights", "in_channels", "classes"}

# How smp's models on the hub are fed; albumentations' Compose.save_pretrained writes it.
TRANSFORMS = "albumentations_config_eval.json"

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# The encoders whose ImageNet weights were trained with other values.
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
OTHERWISE = {"inceptionresnetv2": HALF, "inceptionv4": HALF, "xception": HALF}


def load(
    name: str,
    weights: Weights | None,
    device: object,  # noqa: ARG001
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Foreign:
    """Return a model from the hub or a folder, or an architecture with an encoder and a user's weights.

    It is fed as the transforms saved with it say; without any, as its encoder was fed on ImageNet. An
    architecture is built with the `options`; a saved model has its own.
    """
    smp = package(PACKAGE, "smp")
    architecture = name.partition("/")[0]
    own: Mapping[str, Any] = {}
    if architecture.lower() in smp.MODEL_ARCHITECTURES_MAPPING and not Path(name).is_dir():
        if weights is None:
            raise InputError(f"Expected weights for the untrained smp:{name}, but got none: give --weights.")
        model, own = _built(smp, name, weights, options), options
        id_ = f"smp:{name}:{weights_name(weights)}"
        transforms: Mapping[str, Any] = {}
    else:
        advice = "check the name and the connection"
        # smp prints where it loads from; stdout is for results.
        with (
            reading(f"smp:{name} to be a model of {PACKAGE}", advice),
            contextlib.redirect_stdout(sys.stderr),
        ):
            model = smp.from_pretrained(name).eval()
        id_ = f"smp:{Path(name).name if Path(name).is_dir() else name}"
        transforms = _transforms(name)
    sha256 = take_weights(model, weights, f"smp:{name}")
    card = Card(
        id=id_,
        architecture=type(model).__name__,
        dataset="",
        class_names=(),
        size_divisor=int(cast(Any, model).encoder.output_stride)
        if model.requires_divisible_input_shape
        else 1,
        source=f"{PACKAGE} {smp.__version__}",
        options=dict(own),
        **preprocessing(transforms, _encoder(model)),
    )
    return Foreign(card, ForeignNetwork(model.eval(), id_), sha256)


def preprocessing(transforms: Mapping[str, Any], encoder: str) -> dict[str, Any]:
    """Return the fields of a card for albumentations' transforms, or for what the encoder expects.

    Examples
    --------
    >>> step = {"__class_fullname__": "Normalize", "mean": [0.5] * 3, "std": [0.5] * 3, "max_pixel_value": 1}
    >>> preprocessing({"transform": {"transforms": [step]}}, "resnet18")
    {'mean': (0.5, 0.5, 0.5), 'std': (0.5, 0.5, 0.5)}
    """
    (mean, std), scale, fields = _imagenet(encoder), 255.0, {}
    for step in transforms.get("transform", {}).get("transforms", ()):
        kind = str(step.get("__class_fullname__", "")).rpartition(".")[2]
        if kind == "Normalize":
            mean, std, scale = step["mean"], step["std"], float(step.get("max_pixel_value", 255.0))
        elif kind == "Resize":
            fields["test_size"] = (int(step["height"]), int(step["width"]))
    return {
        "mean": tuple(round(value * scale, 6) for value in mean),
        "std": tuple(round(value * scale, 6) for value in std),
        **fields,
    }


def _imagenet(encoder: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and standard deviation that an encoder was trained with, on the scale 0..1.

    smp looks them up on the web, on which a model must not depend.
    """
    if encoder.startswith("tu-"):
        config = package("timm", "smp").get_pretrained_cfg(
            encoder.removeprefix("tu-"), allow_unregistered=True
        )
        return (config.mean, config.std) if config is not None else IMAGENET
    return OTHERWISE.get(encoder, IMAGENET)


def _encoder(model: nn.Module) -> str:
    """Return the encoder's name, which is the second part of the model's name."""
    return str(model.name).partition("-")[2]


def _built(smp: Any, name: str, weights: Weights, options: Mapping[str, Any]) -> nn.Module:
    """Return an architecture with an encoder, with as many classes as the weights have."""
    architecture, _, encoder = name.partition("/")
    # Checked by name, because smp ignores arguments that it does not know.
    parameters = inspect.signature(smp.MODEL_ARCHITECTURES_MAPPING[architecture.lower()]).parameters.values()
    known = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD} - SHOWN
    for option in options:
        if option not in known:
            raise unknown_name(f"option of smp:{name}", option, sorted(known))
    heads = [
        tensor.shape[0]
        for key, tensor in tensors_of(weights)[0].items()
        if ".segmentation_head." in f".{key}" and tensor.ndim == 4  # other modules may wrap the network
    ]
    classes = heads[-1] if heads else 1
    with reading(f"smp:{name} to be a model of {PACKAGE}", "check the encoder's name and the card's options"):
        model: nn.Module = smp.create_model(architecture, encoder, None, classes=classes, **options)
    return model


def _transforms(name: str) -> Mapping[str, Any]:
    """Return the transforms that were saved with a model, or {}."""
    path = Path(name) / TRANSFORMS
    if not Path(name).is_dir():
        hub = package("huggingface_hub", "smp")
        try:
            path = Path(hub.hf_hub_download(name, TRANSFORMS))
        except hub.errors.EntryNotFoundError:
            return {}
    if not path.is_file():
        return {}
    transforms: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return transforms
