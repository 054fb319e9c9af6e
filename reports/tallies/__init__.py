"""The tallies. Each is a module in this folder, found by its name, with a function `tally` that returns it.

For `trimap-2`, this is `tally("2")` of the module `trimap`. `register` adds a tally from elsewhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable

from reports.run.errors import InputError, unknown_name
from reports.run.tally import PRIMARY, Tally

__all__ = ["examples", "find", "kinds", "register", "wanted"]

Maker = Callable[[str], Tally]

_makers: dict[str, Maker] = {}


def register(kind: str, maker: Maker) -> None:
    """Add a kind of tally: `maker(argument)` returns the tally named KIND, or KIND-ARGUMENT.

    Raises
    ------
    ValueError
        If there is already a kind of that name.
    """
    if kind in _makers:
        raise ValueError(f"The tally '{kind}' is registered twice.")
    _makers[kind] = maker


def kinds() -> tuple[str, ...]:
    """Return the kinds of tallies.

    Examples
    --------
    >>> kinds()
    ('boundary', 'confusion', 'trimap')
    """
    return tuple(_makers)


def find(name: str) -> Tally:
    """Return the tally of a name such as `confusion` or `trimap-2`.

    Raises
    ------
    InputError
        If there is no such kind of tally, or its argument is wrong.
    """
    kind, _, argument = name.partition("-")
    if kind not in _makers:
        raise unknown_name("tally", name, _makers)
    return _makers[kind](argument)


def examples() -> tuple[str, ...]:
    """Return the name of one tally of each kind.

    Examples
    --------
    >>> examples()
    ('boundary-2', 'confusion', 'trimap-2')
    """
    return tuple(map(_example, _makers))


def _example(kind: str) -> str:
    try:
        return find(kind).name
    except InputError:  # it needs an argument
        return find(f"{kind}-2").name


def wanted(names: Iterable[str]) -> tuple[Tally, ...]:
    """Return the tallies of a run: the primary one, then those asked for by name, each once."""
    return tuple({name: find(name) for name in (PRIMARY, *names)}.values())


for _module in pkgutil.iter_modules(__path__):
    if not _module.name.startswith("_"):  # "_" marks numerics that several tallies share
        register(_module.name, importlib.import_module(f"{__name__}.{_module.name}").tally)
