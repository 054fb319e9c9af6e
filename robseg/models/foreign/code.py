"""A digest of a callable's code and of the values that it uses, which tells two callables apart.

Models of one architecture differ by their weights. A user's function has no weights, and the same weights
give other labels under another stride or another forward(). A run must not continue with a changed model.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import secrets
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["code_digest"]

INSTALLED = tuple(
    {str(Path(sysconfig.get_path(name))) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)

# The attributes that torch itself keeps in a module, besides its tensors and children.
BOOKKEEPING = vars(nn.Module()).keys() - {"_parameters", "_buffers", "_modules"}


class _UnknownError(Exception):
    """A value that has no digest."""


def code_digest(model: Any) -> str:
    """Return hexadecimal digits that are the same only for the same code and values.

    Code of installed packages counts by its name. If a value has no digest, the result is random, and no
    other load has the same.

    Examples
    --------
    >>> scale = 2.0
    >>> first = code_digest(lambda x: x * scale)
    >>> scale = 3.0
    >>> first == code_digest(lambda x: x * scale)
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        for piece in _pieces(model, {}):
            digest.update(len(piece).to_bytes(8, "little") + piece)
    except (_UnknownError, RecursionError):
        return f"unknown-{secrets.token_hex(8)}"
    return digest.hexdigest()


def _pieces(value: Any, seen: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    """Yield bytes that identify a value; `seen` keeps objects alive and ends cycles."""
    if value is None or value is Ellipsis or isinstance(value, (bool, int, float, complex, str, bytes)):
        yield f"{type(value).__name__} {value!r}".encode()
        return
    if not isinstance(value, (tuple, frozenset, types.CodeType)):  # compilers may share these
        if id(value) in seen:
            yield f"again {seen[id(value)][0]}".encode()
            return
        seen[id(value)] = (len(seen), value)
    yield type(value).__qualname__.encode()
    yield from _array(value) if isinstance(value, (Tensor, np.ndarray, np.generic)) else ()
    for part in _parts(value):
        yield from _pieces(part, seen)


def _array(value: Any) -> Iterator[bytes]:
    if isinstance(value, Tensor):
        value = value.detach().cpu().contiguous()
        yield f"{value.dtype} {list(value.shape)}".encode()
        yield value.reshape(-1).view(torch.uint8).numpy().tobytes()
    else:
        yield f"{value.dtype} {list(value.shape)}".encode()
        yield np.ascontiguousarray(value).tobytes()


def _parts(value: Any) -> tuple[Any, ...]:
    """Return the parts of a value."""
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return ()
    for kind, parts in PARTS.items():
        if isinstance(value, kind):
            return parts(value)
    return _state(value)


def _definition(value: Any) -> tuple[Any, ...]:
    """Return what identifies a function or class: its name if installed, else its code and what it uses."""
    name = (value.__module__, value.__qualname__)
    if isinstance(value, types.BuiltinFunctionType) or _is_installed(value):
        return name
    if isinstance(value, type):
        hidden = {"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__"}
        members = {key: one for key, one in vars(value).items() if key not in hidden}
        return (*name, value.__bases__, members)
    used = {key: value.__globals__[key] for key in sorted(_names(value.__code__)) if key in value.__globals__}
    return (value.__code__, value.__defaults__, value.__kwdefaults__, value.__closure__, used)


def _names(code: types.CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _is_installed(value: Any) -> bool:
    file = getattr(sys.modules.get(value.__module__), "__file__", None)
    return value.__module__ == "builtins" or (file is not None and file.startswith(INSTALLED))


def _cell(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # a name that is not bound yet
        return ()


def _state(value: Any) -> tuple[Any, ...]:
    """Return an object's class and attributes, or its pickle if it has none."""
    if isinstance(value, torch.jit.ScriptModule):
        return (str(value.inlined_graph), dict(value.state_dict()))
    if isinstance(value, nn.Module):
        return (type(value), {key: one for key, one in vars(value).items() if key not in BOOKKEEPING})
    if hasattr(value, "__dict__") and not hasattr(type(value), "__slots__"):
        return (type(value), vars(value))
    try:
        return (pickle.dumps(value),)
    except (pickle.PicklingError, AttributeError, TypeError, RuntimeError) as error:
        raise _UnknownError from error


# How to take values apart, by their kind.
PARTS: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    (tuple, list): tuple,
    Mapping: lambda value: tuple(value.items()),
    (set, frozenset): lambda value: tuple(sorted(value, key=repr)),
    types.ModuleType: lambda value: (value.__name__, getattr(value, "__version__", None)),
    (type, types.FunctionType, types.BuiltinFunctionType): _definition,
    types.CodeType: lambda value: (
        value.co_code,
        value.co_names,
        value.co_consts,
        value.co_varnames,
        value.co_freevars,
    ),
    types.MethodType: lambda value: (value.__func__, value.__self__),
    functools.partial: lambda value: (value.func, value.args, value.keywords),
    (staticmethod, classmethod): lambda value: (value.__func__,),
    property: lambda value: (value.fget,),
    types.CellType: _cell,
}
