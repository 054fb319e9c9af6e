"""Other people's models: one module a source, chosen by the prefix of a spec such as `onnx:FILE`.

Looking at a spec imports neither torch nor any of the sources' packages; loading does.
"""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch

    from robseg.models.foreign.reading import Foreign, Weights

__all__ = ["ADAPTERS", "adapter_of", "load"]

# The prefix of a spec -> the module of this package that has `load(name, weights, device) -> Foreign`.
ADAPTERS = {
    "py": "py",
    "torchvision": "torchvision",
    "hf": "hf",
    "smp": "smp",
    "onnx": "onnx",
    "pt2": "pt2",
    "ts": "ts",
}

# Files that need no prefix.
SUFFIXES = {".onnx": "onnx", ".pt2": "pt2", ".ts": "ts"}


def adapter_of(spec: str) -> tuple[str, str] | None:
    """Return the prefix of a spec and what follows it, or None where it is no other people's model.

    A file is known by its ending; a .pt or .pth file that holds TorchScript by its content.

    Examples
    --------
    >>> adapter_of("hf:nvidia/segformer-b0"), adapter_of("./model.onnx"), adapter_of("enet@streets")
    (('hf', 'nvidia/segformer-b0'), ('onnx', './model.onnx'), None)
    """
    prefix, colon, name = spec.partition(":")
    if colon and prefix in ADAPTERS:
        return prefix, name
    suffix = Path(spec).suffix
    if suffix in SUFFIXES:
        return SUFFIXES[suffix], spec
    if suffix in {".pt", ".pth"} and _holds_code(Path(spec)):
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
    module: Any = importlib.import_module(f"{__name__}.{ADAPTERS[found[0]]}")
    return cast("Foreign", module.load(found[1], weights, device))


def _holds_code(path: Path) -> bool:
    """Return whether a file is an archive of TorchScript: tensors and the code that uses them."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
