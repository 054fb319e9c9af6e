"""Adapters of other people's models: a module for each source, named like the prefix of a spec (`onnx:FILE`).

A module has `load(name, weights, device) -> Foreign`, with a further parameter `options` if it builds models
with the options of a user's card. Recognising a spec imports neither torch nor a source's package; loading a
model does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robseg.registry import Registry

if TYPE_CHECKING:
    import torch

    from robseg.models.foreign.reading import Foreign, Weights

__all__ = ["ADAPTERS", "adapter_of", "load"]

ADAPTERS: Registry[Callable[..., Foreign]] = Registry("adapter", __name__, "load")

# The endings of files that are not the prefix of their adapter.
ENDINGS = {"torchscript": "ts", "xml": "openvino"}


def adapter_of(spec: str) -> tuple[str, str] | None:
    """Return the prefix of a spec and the name after it, or None if the spec is not for an adapter.

    A file whose ending is a prefix or stands for one, in upper or lower case, needs no other. What a file
    contains does not matter: a program runs only where its name says that it is one.

    Examples
    --------
    >>> adapter_of("hf:nvidia/segformer-b0"), adapter_of("./model.onnx"), adapter_of("enet@streets")
    (('hf', 'nvidia/segformer-b0'), ('onnx', './model.onnx'), None)
    """
    prefix, colon, name = spec.partition(":")
    if colon and prefix in ADAPTERS:
        return prefix, name
    ending = Path(spec).suffix.removeprefix(".").lower()
    ending = ENDINGS.get(ending, ending)
    return (ending, spec) if ending in ADAPTERS else None


def load(
    model: str | Callable[..., Any],
    weights: Weights | None,
    device: torch.device,
    options: Mapping[str, Any] | None = None,
) -> Foreign:
    """Return the model of a spec for an adapter, or of a callable.

    `options` are those of a user's card. The options that the model was built with are those of its card.
    """
    if not isinstance(model, str):
        from robseg.models.foreign import callables

        return callables.load(model, weights)
    found = adapter_of(model)
    if found is None:
        raise ValueError(f"Expected a spec for one of {', '.join(ADAPTERS)}, but got '{model}'.")
    prefix, name = found
    adapter = ADAPTERS[prefix]
    if "options" in inspect.signature(adapter).parameters:
        return adapter(name, weights, device, options=options or {})
    return adapter(name, weights, device)
