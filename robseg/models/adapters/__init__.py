"""Other people's models: a module for each source, named as the prefix of its specs, such as `onnx:FILE`.

Each has `load(name, weights, device) -> Foreign`. Looking at a spec imports neither torch nor any of the
sources' packages; loading does.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robseg.registry import Registry

if TYPE_CHECKING:
    import torch

    from robseg.models.foreign.reading import Foreign, Weights

__all__ = ["ADAPTERS", "adapter_of", "load"]

ADAPTERS: Registry[Callable[[str, Weights | None, torch.device], Foreign]] = Registry(
    "adapter", __name__, "load"
)


def adapter_of(spec: str) -> tuple[str, str] | None:
    """Return the prefix of a spec and what follows it, or None where it is no other people's model.

    A file needs no prefix where its ending is one; a .pt or .pth file is known as TorchScript by its content.

    Examples
    --------
    >>> adapter_of("hf:nvidia/segformer-b0"), adapter_of("./model.onnx"), adapter_of("enet@streets")
    (('hf', 'nvidia/segformer-b0'), ('onnx', './model.onnx'), None)
    """
    prefix, colon, name = spec.partition(":")
    if colon and prefix in ADAPTERS:
        return prefix, name
    ending = Path(spec).suffix.removeprefix(".")
    if ending in ADAPTERS:
        return ending, spec
    if ending in {"pt", "pth"} and _holds_code(Path(spec)):
        return "ts", spec
    return None


def load(model: str | Callable[..., Any], weights: Weights | None, device: torch.device) -> Foreign:
    """Return the model that a spec with a known prefix names, or that a callable is."""
    if not isinstance(model, str):
        from robseg.models.foreign import callables

        return callables.load(model, weights)
    found = adapter_of(model)
    if found is None:
        raise ValueError(f"Expected a spec with a known prefix, but got '{model}'.")
    prefix, name = found
    return ADAPTERS[prefix](name, weights, device)


def _holds_code(path: Path) -> bool:
    """Return whether a file is an archive of TorchScript: tensors and the code that uses them."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
