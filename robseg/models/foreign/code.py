"""A digest of a callable's code and of the values that it uses, which tells two callables apart.

Models of one architecture differ by their weights. A user's function has no weights, and the same weights
give other labels under another stride or another forward(). A run must not continue with a changed model.
"""

from __future__ import annotations

import copyreg
import functools
import hashlib
import logging
import pickle
import sys
import sysconfig
import threading
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["UntoldError", "code_digest"]

STANDARD_LIBRARY = tuple({str(Path(sysconfig.get_path(name))) for name in ("stdlib", "platstdlib")})
PACKAGE_FOLDERS = frozenset({"site-packages", "dist-packages"})

# The attributes that torch itself keeps in a module, besides its tensors, children and hooks.
BOOKKEEPING = vars(nn.Module()).keys() - {
    "_parameters",
    "_buffers",
    "_modules",
    "_forward_hooks",
    "_forward_pre_hooks",
}

# What Python and its tools keep in a class: no answer of a model depends on it.
CLASS_BOOKKEEPING = frozenset(
    {
        "__annotate__",
        "__annotate_func__",
        "__annotations__",
        "__annotations_cache__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__module__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
    }
)


class UntoldError(Exception):
    """A value cannot be compared with that of another process; the message is its type."""


def code_digest(model: Any) -> str:
    """Return hexadecimal digits that are the same only for the same code and values.

    Code of installed packages counts by its name.

    Raises
    ------
    UntoldError
        If a value has no digest, such as an open file.

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
    except RecursionError as error:
        raise UntoldError("nested too deeply") from error
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
    try:
        yield from _array(value) if isinstance(value, ARRAYS) else ()
        parts = _parts(value)
    except NO_STATE as error:
        raise UntoldError(type(value).__name__) from error
    for part in parts:
        yield from _pieces(part, seen)


def _array(value: Any) -> Iterator[bytes]:
    if isinstance(value, Tensor):
        value = value.detach().cpu().contiguous()
        yield f"{value.dtype} {list(value.shape)}".encode()
        yield value.reshape(-1).view(torch.uint8).numpy().tobytes()
    elif not value.dtype.hasobject:  # the bytes of objects are their addresses
        yield f"{value.dtype} {list(value.shape)}".encode()
        yield np.ascontiguousarray(value).tobytes()


def _parts(value: Any) -> tuple[Any, ...]:
    """Return the parts of a value."""
    if isinstance(value, ARRAYS):
        return (value.tolist(),) if getattr(value.dtype, "hasobject", False) else ()
    for kind, parts in PARTS.items():
        if isinstance(value, kind):
            return parts(value)
    return _state(value)


def _definition(value: Any) -> tuple[Any, ...]:
    """Return what identifies a function or class: its name if installed, else its code and what it uses."""
    name = (value.__module__, value.__qualname__)
    if isinstance(value, types.BuiltinFunctionType) or _is_installed(value.__module__):
        return name
    if isinstance(value, type):
        members = {key: one for key, one in vars(value).items() if key not in CLASS_BOOKKEEPING}
        return (*name, value.__bases__, members)
    used = _used(_names(value.__code__), value.__globals__, set())
    return (value.__code__, value.__defaults__, value.__kwdefaults__, value.__closure__, used)


def _names(code: types.CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _used(names: set[str], namespace: Mapping[str, Any], visited: set[str]) -> dict[str, Any]:
    """Return the values of names in a namespace; a user's module stands for what is named in it, too."""
    used = {}
    for name in sorted(names & namespace.keys()):
        value = namespace[name]
        if isinstance(value, types.ModuleType) and not _is_installed(value.__name__):
            if value.__name__ in visited:
                continue
            visited.add(value.__name__)
            value = _used(names, vars(value), visited)
        used[name] = value
    return used


def _is_installed(module: str | None) -> bool:
    """Return whether a module is part of Python or of an installed package, which is not edited in place."""
    top = (module or "").partition(".")[0]
    if top == "torch" or top in sys.builtin_module_names:  # counts depend on torch's version already
        return True
    file = getattr(sys.modules.get(module or ""), "__file__", None)
    if file is None:
        return False
    folders = Path(file).parents
    return file.startswith(STANDARD_LIBRARY) or any(_has_package(folder, top) for folder in folders)


@functools.cache
def _has_package(folder: Path, name: str) -> bool:
    """Return whether packages are installed into a folder, and this is one of them."""
    if folder.name in PACKAGE_FOLDERS:
        return True
    # Such as a folder of `pip install --target`, which may be a user's own folder, too.
    records = (path.read_text(encoding="utf-8") for path in folder.glob("*.dist-info/RECORD"))
    return any(line.startswith((f"{name}/", f"{name}.")) for text in records for line in text.splitlines())


def _cell(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # a name that is not bound yet
        return ()


def _generator(value: types.GeneratorType[Any, Any, Any]) -> tuple[Any, ...]:
    """Return the code of a generator, where it is in it, and its values there."""
    frame = value.gi_frame
    if frame is None:  # it has ended
        return (value.gi_code,)
    used = _used(_names(value.gi_code), frame.f_globals, set())
    return (value.gi_code, frame.f_lasti, dict(frame.f_locals), used)


def _state(value: Any) -> tuple[Any, ...]:
    """Return a module's attributes, or what a pickle of an object would be made of."""
    if isinstance(value, torch.jit.ScriptModule):
        return (str(value.inlined_graph), dict(value.state_dict()))
    if isinstance(value, nn.Module):
        if "_orig_mod" in value._modules:  # torch.compile keeps much else, which differs between processes
            return (value._modules["_orig_mod"],)
        kept = {key: one for key, one in vars(value).items() if key not in BOOKKEEPING}
        # The keys of hooks count all hooks of the process.
        hooks = [list(kept.pop(key, {}).values()) for key in ("_forward_hooks", "_forward_pre_hooks")]
        return (type(value), kept, *hooks)
    reduce: Callable[[Any], Any] = copyreg.dispatch_table.get(type(value), _reduced)
    made = reduce(value)
    if isinstance(made, str):  # the name of a constant
        return (type(value), made)
    function, arguments, *further = made
    state, items, pairs = (*further[:3], None, None, None)[:3]
    return (function, arguments, state, list(items or ()), list(pairs or ()))


def _reduced(value: Any) -> Any:
    return value.__reduce_ex__(4)


NO_STATE = (pickle.PicklingError, AttributeError, NotImplementedError, RuntimeError, TypeError)
ARRAYS = (Tensor, np.ndarray, np.generic)

# What tells nothing of a model's answers but that it is there.
SILENT = (
    logging.Logger,
    logging.LoggerAdapter,
    logging.Handler,
    type(threading.Lock()),
    type(threading.RLock()),
)

# How to take values apart, by their kind.
PARTS: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    SILENT: lambda _value: (),
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
    types.GeneratorType: _generator,
    functools.partial: lambda value: (value.func, value.args, value.keywords),
    functools._lru_cache_wrapper: lambda value: (value.__wrapped__,),
    functools.cached_property: lambda value: (value.func,),
    (staticmethod, classmethod): lambda value: (value.__func__,),
    property: lambda value: (value.fget,),
    types.CellType: _cell,
    # Python's own access to attributes and methods: the class's code says the rest.
    (
        types.MemberDescriptorType,
        types.GetSetDescriptorType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
    ): lambda value: (value.__name__,),
    weakref.ref: lambda value: (value(),),
    torch.Generator: lambda value: (str(value.device), value.get_state()),
}
