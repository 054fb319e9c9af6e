"""`hf:ORG/NAME` or `hf:FOLDER`: segmentation models of transformers, fed as their image processors say."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.queries import PaddedNetwork, QueryNetwork, SplitNetwork
from robseg.models.foreign.reading import Foreign, Weights, package, reading, take_weights

__all__ = ["load", "preprocessing"]


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return a model from the hub, or from a folder that save_pretrained wrote."""
    transformers = package("transformers", "hf")
    model, untrained = _model(transformers, name)
    if weights is None and untrained:
        raise InputError(
            f"Expected hf:{name} to have weights for all of {type(model).__name__}, but it has none for "
            f"{untrained[0]}: it was saved for another task, so train it, or choose another model."
        )
    processor = _processor(transformers, name, model)
    task = _task(transformers, name, model)
    sha256 = take_weights(model, weights, f"hf:{name}")
    card = Card(
        id=f"hf:{Path(name).name if Path(name).is_dir() else name}",
        architecture=type(model).__name__,
        dataset="",
        class_names=_class_names(model.config),
        average="scores" if _answers_queries(transformers, model.config) else "logits",
        resize_logits="once",
        source=f"transformers {transformers.__version__}",
        **preprocessing(processor),
    )
    make = functools.partial(_network, processor=processor, task=task, card=card)
    # After it has run, a model of transformers holds hooks that cannot be pickled.
    remade = functools.partial(_again, type(model), model.config, model.state_dict(), make, device)
    network = ForeignNetwork(make(model).eval(), card.id, remade=remade)
    return Foreign(card, network, sha256, num_classes=model.config.num_labels)


def _model(transformers: Any, name: str) -> tuple[Any, list[str]]:
    """Return a model in float32, and the names of the parameters that its file lacks."""
    advice = "check the name, the connection, and that it is a model for semantic segmentation"
    with reading(f"hf:{name} to be a segmentation model of transformers", advice):
        # No code from the hub is run; without the argument, transformers asks on the terminal.
        config = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
        kind = transformers.AutoModelForSemanticSegmentation
        if _answers_queries(transformers, config):
            kind = transformers.AutoModelForUniversalSegmentation
        model, found = kind.from_pretrained(name, trust_remote_code=False, output_loading_info=True)
    parameters = dict(model.named_parameters())
    # Labels do not depend on the auxiliary head.
    lacking = [one for one in found["missing_keys"] if one in parameters and "auxiliary_head" not in one]
    # torch cannot count the operations of OneFormer while its parameters require gradients.
    return model.float().requires_grad_(False), sorted(lacking)


def _answers_queries(transformers: Any, config: Any) -> bool:
    return type(config) in transformers.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING


def _processor(transformers: Any, name: str, model: Any) -> dict[str, Any]:
    """Return the settings of a model's image processor, or of the video processor if it takes clips."""
    kind = "AutoVideoProcessor" if model.main_input_name == "pixel_values_videos" else "AutoImageProcessor"
    with reading(
        f"hf:{name} to have an image processor", f"save it beside the model ({kind}...save_pretrained)"
    ):
        processor = getattr(transformers, kind).from_pretrained(name, trust_remote_code=False)
        settings: dict[str, Any] = processor.to_dict()
        return settings


def _task(transformers: Any, name: str, model: Any) -> Tensor | None:
    """Return the tokens (1, length) that ask OneFormer for semantic segmentation, None for other models."""
    length = getattr(model.config, "task_seq_len", None)
    if length is None:
        return None
    advice = "save its processor beside it (OneFormerProcessor...save_pretrained)"
    with reading(f"hf:{name} to have a tokenizer", advice):
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        if len(tokenizer) <= len(tokenizer.all_special_tokens):  # where its files are missing
            raise ValueError("one without words")
        tokens = tokenizer(["the task is semantic"], padding="max_length", max_length=length, truncation=True)
    return torch.tensor(tokens["input_ids"]) * torch.tensor(tokens["attention_mask"])


def _network(model: nn.Module, processor: Mapping[str, Any], task: Tensor | None, card: Card) -> nn.Module:
    """Return a network from images to class scores, as the model's processor makes them of its answers."""
    if card.average != "scores":
        return model
    kind = processor.get("image_processor_type", "")
    if kind.startswith("Mask2Former"):
        return QueryNetwork(model, (384, 384))  # whatever the size of the input is
    if not kind.startswith("Eomt"):
        return QueryNetwork(model, task=task)
    size = processor["size"]
    sides = (size["shortest_edge"], size.get("longest_edge") or size["shortest_edge"])
    network = QueryNetwork(model, sides)
    if processor["do_split_image"]:
        return SplitNetwork(network, sides[0])
    if processor["do_pad"]:
        black = tuple(-mean / std for mean, std in zip(card.mean, card.std, strict=True))
        return PaddedNetwork(network, sides, black)
    return network


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
    divisor = processor.get("size_divisor") or processor.get("size_divisibility")
    if not isinstance(divisor, int):
        divisor = 1
    # MaskFormer's processors stretch images to multiples of the divisor when they resize them; others pad.
    stretches = processor.get("image_processor_type", "").startswith(("MaskFormer", "Mask2Former"))
    if processor.get("do_resize"):
        fields |= _resizing(processor.get("size"), divisor if stretches else 1)
    if processor.get("do_pad", True) and not stretches and divisor > 1:
        fields["size_divisor"] = divisor
    return fields


def _resizing(size: Any, divisor: int) -> dict[str, Any]:
    if isinstance(size, int):
        size = {"shortest_edge": size}
    if isinstance(size, Mapping) and size.get("height") and size.get("width"):
        height, width = (-(-int(size[side]) // divisor) * divisor for side in ("height", "width"))
        return {"test_size": (height, width)}
    if isinstance(size, Mapping) and size.get("shortest_edge"):
        short = int(size["shortest_edge"])
        longest = int(size.get("longest_edge") or 0)
        if longest:
            return {"test_size": (short, longest), "resize": "bounded", "size_divisor": divisor}
        return {"test_size": (short, short), "resize": "short"}
    raise InputError(
        f"Expected an image processor's size to have height and width or shortest_edge, but got {size}: "
        "set test_size in a card of your own."
    )


def _class_names(config: Any) -> tuple[str, ...]:
    """Return the names of the classes, () if the configuration only numbers them."""
    names = tuple(str(config.id2label[index]) for index in range(config.num_labels))
    return () if names == tuple(f"LABEL_{index}" for index in range(len(names))) else names


def _again(
    kind: Callable[[Any], nn.Module],
    config: Any,
    state: Mapping[str, Tensor],
    make: Callable[[nn.Module], nn.Module],
    device: torch.device,
) -> nn.Module:
    model = kind(config)
    model.load_state_dict(state, strict=True)
    return make(model).eval().to(device)
