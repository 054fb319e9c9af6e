"""Named things: a file in a folder each, found by the file's name, with a suggestion for a misspelt one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from typing import Generic, TypeVar, cast

from robseg.errors import unknown_name

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """The records in a package: each module holds one, under the same variable, and gives it its name.

    Adding a record is adding a file. The names are read from the folder; a module is imported when its record
    is looked up, so that listing names stays quick where modules need torch.

    Parameters
    ----------
    kind
        What a record is called in errors.
    package
        The package's dotted name.
    variable
        The variable that holds the record in each module.
    besides
        The modules that hold no record.
    first
        The name that comes before the others, which are sorted.

    Examples
    --------
    >>> datasets = Registry[object]("data set", "robseg.datasets", "CARD", besides=("base", "files"))
    >>> "camvid" in datasets, datasets["camvid"].default_split
    (True, 'test')
    """

    def __init__(
        self, kind: str, package: str, variable: str, *, besides: Collection[str] = (), first: str = ""
    ) -> None:
        self.kind = kind
        self._package = package
        self._variable = variable
        found = {module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)}
        self._names = tuple(sorted(found - {*besides}, key=lambda name: (name != first, name)))

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise unknown_name(self.kind, name, self._names)
        return cast(T, getattr(importlib.import_module(f"{self._package}.{name}"), self._variable))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def values(self) -> Iterator[T]:
        """Yield the records in the order of their names."""
        return (self[name] for name in self)
