"""`hf:ORG/NAME` or `hf:FOLDER`: segmentation models of transformers, fed as their image processors say."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import Foreign, Weights, package, reading, take_weights

__all__ = ["load", "preprocessing"]


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return a model from the hub, or from a folder that save_pretrained wrote."""
    transformers = package("transformers", "hf")
    advice = "check the name, the connection, and that it is a model for semantic segmentation"
    with reading(f"hf:{name} to be a segmentation model of transformers", advice):
        # No code from the hub is run; without the argument, transformers asks on the terminal.
        model = transformers.AutoModelForSemanticSegmentation.from_pretrained(name, trust_remote_code=False)
    advice = "save its image processor beside it (AutoImageProcessor...save_pretrained)"
    with reading(f"hf:{name} to have an image processor", advice):
        processor = transformers.AutoImageProcessor.from_pretrained(name, trust_remote_code=False).to_dict()
    sha256 = take_weights(model, weights, f"hf:{name}")
    card = Card(
        id=f"hf:{Path(name).name if Path(name).is_dir() else name}",
        architecture=type(model).__name__,
        dataset="",
        class_names=_class_names(model.config),
        source=f"transformers {transformers.__version__}",
        **preprocessing(processor),
    )
    # After it has run, a model of transformers holds hooks that cannot be pickled.
    remade = functools.partial(_again, model.config, model.state_dict(), device)
    network = ForeignNetwork(model.eval(), card.id, remade=remade)
    return Foreign(card, network, sha256, num_classes=model.config.num_labels)


def preprocessing(processor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a card for an image processor; its crop is left out.

    Examples
    --------
    >>> given = {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_resize": False}
    >>> preprocessing({"do_rescale": True, "rescale_factor": 1 / 255, **given})["mean"]
    (127.5, 127.5, 127.5)
    """
    scale = processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 1.0
    normal = processor.get("do_normalize") and processor.get("image_mean") is not None
    mean, std = (processor["image_mean"], processor["image_std"]) if normal else ((0.0,) * 3, (1.0,) * 3)
    fields: dict[str, Any] = {
        "mean": tuple(round(value / scale, 6) for value in mean),
        "std": tuple(round(value / scale, 6) for value in std),
        "channel_order": "BGR" if processor.get("do_flip_channel_order") else "RGB",
    }
    if processor.get("do_resize"):
        fields |= _resizing(processor.get("size"))
    divisor = processor.get("size_divisor") or processor.get("size_divisibility")
    if processor.get("do_pad", True) and isinstance(divisor, int) and divisor > 1:
        fields["size_divisor"] = divisor
    return fields


def _resizing(size: Any) -> dict[str, Any]:
    if isinstance(size, int):
        size = {"shortest_edge": size}
    if isinstance(size, Mapping) and size.get("height") and size.get("width"):
        return {"test_size": (int(size["height"]), int(size["width"]))}
    if isinstance(size, Mapping) and size.get("shortest_edge"):
        short = int(size["shortest_edge"])
        longest = int(size.get("longest_edge") or 0)
        # With both, an image becomes as large as fits into them.
        return {"test_size": (short, longest or short), "resize": "fit" if longest else "short"}
    raise InputError(
        f"Expected an image processor's size to have height and width or shortest_edge, but got {size}: "
        "set test_size in a card of your own."
    )


def _class_names(config: Any) -> tuple[str, ...]:
    """Return the names of the classes, () if the configuration only numbers them."""
    names = tuple(str(config.id2label[index]) for index in range(config.num_labels))
    return () if names == tuple(f"LABEL_{index}" for index in range(len(names))) else names


def _again(config: Any, state: Mapping[str, Tensor], device: torch.device) -> nn.Module:
    transformers = package("transformers", "hf")
    model: nn.Module = transformers.AutoModelForSemanticSegmentation.from_config(config)
    model.load_state_dict(state, strict=True)
    return model.eval().to(device)
