"""Unpickling that runs no code: whatever is not needed to build tensors becomes an inert stub.

Checkpoints of training programs hold more than tensors: a logger's history, NumPy scalars, the arguments of a
command. A pickle names the code that builds such objects. Here only the names in a short list are looked up;
every other name becomes a stub, which accepts any call and does nothing.
"""

from __future__ import annotations

import collections
import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, BinaryIO

import torch

__all__ = ["Stub", "restricted_pickle"]


class Stub:
    """A stand-in for an object that would have needed code; making, filling or calling it has no effect."""

    origin = ""
    dump_patches = False  # torch asks for it in files that hold a module's source beside it

    def __new__(cls, *_: object, **__: object) -> Stub:
        """Take any arguments."""
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __call__(self, *_: object, **__: object) -> Stub:
        """Return a stub in place of what a method would have returned."""
        return self

    def __setstate__(self, *_: object) -> None:
        """Drop the state of a pickled object."""

    def __setitem__(self, key: object, value: object) -> None:
        """Drop an item of a dict."""

    def append(self, *_: object) -> None:
        """Drop the items of a list or set."""

    extend = add = append


class Permitted:
    """A wrapped function or class that builds tensors: a pickle may call it, but cannot change it."""

    __slots__ = ("_call",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._call = function

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self._call(*arguments)

    def __setstate__(self, *_: object) -> None:
        """Change nothing: a pickle could set attributes of a bare function."""


PERMITTED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): Permitted(collections.OrderedDict),
    ("torch", "Size"): Permitted(torch.Size),
    ("torch", "device"): Permitted(torch.device),
    ("torch._utils", "_rebuild_tensor"): Permitted(torch._utils._rebuild_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): Permitted(torch._utils._rebuild_tensor_v2),
    ("torch._utils", "_rebuild_parameter"): Permitted(torch._utils._rebuild_parameter),
}


def restricted_pickle(stubs: dict[str, type[Stub]]) -> SimpleNamespace:
    """Return a stand-in for the module `pickle` for `torch.load`; `stubs` collects the names of stubs."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in PERMITTED:
                return PERMITTED[module, name]
            if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
                return getattr(torch, name)
            origin = f"{module}.{name}"
            return stubs.setdefault(origin, type("Stub", (Stub,), {"origin": origin}))

    def load(file: BinaryIO, *, encoding: str = "ASCII", errors: str = "strict") -> Any:
        return Unpickler(file, encoding=encoding, errors=errors).load()

    return SimpleNamespace(Unpickler=Unpickler, load=load, __name__="pickle")
