"""Named things: registered beside their definition, looked up with a suggestion for a misspelt name."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Generic, TypeVar

from robseg.errors import InputError

__all__ = ["Registry", "unknown_name"]

T = TypeVar("T")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not among the known ones, with the nearest of them.

    Examples
    --------
    >>> print(unknown_name("data set", "camvit", ["camvid", "streets"]))
    Unknown data set 'camvit': did you mean 'camvid'? Known are camvid, streets.
    """
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return InputError(f"Unknown {kind} '{name}': {hint}Known are {', '.join(known)}.")


class Registry(Generic[T]):
    """Map names to records, in the order in which they were registered.

    Examples
    --------
    >>> fruits: Registry[int] = Registry("fruit")
    >>> fruits.add("apple", 3)
    >>> fruits["apple"]
    3
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._records: dict[str, T] = {}

    def add(self, name: str, record: T) -> None:
        """Register `record`; a second one under the same name is a programmer's mistake and raises."""
        if name in self._records:
            raise ValueError(f"The {self.kind} '{name}' is registered twice.")
        self._records[name] = record

    def __getitem__(self, name: str) -> T:
        if name not in self._records:
            raise unknown_name(self.kind, name, self._records)
        return self._records[name]

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)
