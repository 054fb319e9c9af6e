"""Records of corruptions and of the sets they belong to; found by name, group, subset or set."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.random import stream

__all__ = [
    "GROUPS",
    "SETS",
    "Corruption",
    "CorruptionSet",
    "by_severity",
    "get",
    "names",
    "register",
    "set_version",
    "subsets",
]

GROUPS = ("noise", "blur", "weather", "digital", "camera")

Parameters = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Corruption:
    """A corruption: its kernel, and a mapping of named parameters for each severity, weakest first.

    `apply` maps a C-contiguous (H, W, 3) image with sides of at least 32 pixels to a new image of the same
    shape. It takes the parameters as keywords and, if it draws random numbers, a `stream`. `apply_all`, if
    there is one, yields the results of several severities of one image with less work: each keyword is a list
    with a value for every result. `displacement` is there if the corruption moves pixels. It maps (height,
    width) and the keywords of `apply` to the (2, H, W) row and column that each pixel is taken from, NaN
    where nothing was. `subsets` are published selections that contain the corruption. `substitute` says that
    the parameters are ours because the source does not publish its own. `set_name`, `set_version` and
    `source` come from the corruption's set; so does the prefix of `name`, see `CorruptionSet`.
    """

    name: str
    group: str
    parameters: tuple[Parameters, ...]
    apply: Callable[..., NDArray[np.uint8]]
    apply_all: Callable[..., Iterator[NDArray[np.uint8]]] | None = None
    displacement: Callable[..., NDArray[np.float64]] | None = None
    subsets: tuple[str, ...] = ()
    substitute: bool = False
    set_name: str = ""
    set_version: str = ""
    source: str = ""

    @property
    def severities(self) -> tuple[int, ...]:
        """The severities, from 1 upwards."""
        return tuple(range(1, len(self.parameters) + 1))

    @property
    def moves_pixels(self) -> bool:
        """Whether a target has to move with the image."""
        return self.displacement is not None

    @cached_property
    def random(self) -> bool:
        """Whether the corruption draws random numbers."""
        return "stream" in inspect.signature(self.apply).parameters

    @property
    def short_name(self) -> str:
        """The name within the set."""
        return self.name.rpartition("/")[2]

    @property
    def full_name(self) -> str:
        """The name with that of the set, such as imagenet-c/fog."""
        return f"{self.set_name}/{self.short_name}"

    def arguments(self, severity: int, seed: int, key: str) -> dict[str, Any]:
        """Return the keyword arguments of `apply` for one image: parameters and, if random, the stream."""
        parameters: dict[str, Any] = dict(self.parameters[severity - 1])
        if self.random:
            parameters["stream"] = stream(self.set_version, seed, self.name, severity, key)
        return parameters


@dataclass(frozen=True, eq=False)
class CorruptionSet:
    """Corruptions that are published and versioned together.

    Raise `version` when any pixel of a corruption of the set changes: its random draws change with it, and
    runs of the old version become stale. Corruptions are named set/corruption in results, except those of a
    set with `bare_names`: results had their names before there were sets.
    """

    name: str
    version: str
    citation: str
    corruptions: tuple[Corruption, ...]
    bare_names: bool = False

    def __post_init__(self) -> None:
        prefix = "" if self.bare_names else f"{self.name}/"
        members = tuple(
            replace(
                corruption,
                name=prefix + corruption.name,
                set_name=self.name,
                set_version=self.version,
                source=self.citation,
            )
            for corruption in self.corruptions
        )
        object.__setattr__(self, "corruptions", members)


def by_severity(**columns: tuple[float, ...]) -> tuple[Parameters, ...]:
    """Turn one column of values per parameter, weakest first, into one mapping per severity.

    Examples
    --------
    >>> by_severity(scale=(0.08, 0.12, 0.18, 0.26, 0.38))[0]["scale"]
    0.08
    """
    return tuple(
        MappingProxyType(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    )


_sets: dict[str, CorruptionSet] = {}
SETS: Mapping[str, CorruptionSet] = MappingProxyType(_sets)
_records: dict[str, Corruption] = {}  # by name


def register(corruption_set: CorruptionSet) -> None:
    """Make a set and its corruptions known. A name that is taken raises."""
    new = {corruption_set.name: "set"}
    for record in corruption_set.corruptions:
        if record.group not in GROUPS:
            raise ValueError(
                f"Expected the group of '{record.name}' to be one of {', '.join(GROUPS)}, "
                f"but got '{record.group}'."
            )
        if record.name == corruption_set.name:
            raise ValueError(
                f"Expected the set '{corruption_set.name}' to have another name than its corruptions, "
                "but one has the same: rename one of the two."
            )
        if record.name in new:
            raise ValueError(f"The corruption '{record.name}' is in the set '{corruption_set.name}' twice.")
        new[record.name] = "corruption"
    for name, kind in new.items():
        if name in (*_records, *_sets, *subsets(), *GROUPS, "all", "none"):
            raise ValueError(f"Expected a new name for the {kind} '{name}', but it is already taken.")
    _sets[corruption_set.name] = corruption_set
    _records.update({record.name: record for record in corruption_set.corruptions})


def subsets() -> tuple[str, ...]:
    """Return the names of the subsets that records declare."""
    return tuple(dict.fromkeys(subset for record in _records.values() for subset in record.subsets))


def set_version() -> str:
    """Return the version of all sets together, which changes whenever the version of one set does.

    Sets of version 1 are left out, so that adding a set changes nothing.
    """
    changed = [f"{name} {member.version}" for name, member in sorted(_sets.items()) if member.version != "1"]
    return ", ".join(changed) or "1"


def get(name: str) -> Corruption:
    """Return the record of a corruption by its name, with or without the name of its set.

    Examples
    --------
    >>> get("gaussian_noise").parameters[2]["scale"]
    0.18
    >>> get("imagenet-c/fog").name
    'fog'
    >>> get("fogg")
    Traceback (most recent call last):
    ValueError: Unknown corruption 'fogg': did you mean 'fog'?
    """
    if not isinstance(name, str):
        raise ValueError(
            f"Expected `name` to be a str, but got {type(name).__name__}: give one of corruptions.names()."
        )
    if found := _found(name):
        return found
    raise ValueError(f"Unknown corruption '{name}': {_advice(name, _alike(name))}")


def names(selection: str = "all") -> tuple[str, ...]:
    """Return the names of a selection of corruptions, in the order of the groups.

    A selection is a group (noise, blur, weather, digital, camera), a set (imagenet-c, kamann-rother-camera),
    a subset (common, validation, kamann), a corruption, with or without its set (fog, imagenet-c/fog), "all"
    or "none".

    Examples
    --------
    >>> names("weather")
    ('snow', 'frost', 'fog', 'spatter')
    >>> names("imagenet-c/fog"), names("none")
    (('fog',), ())
    """
    if selection == "none":
        return ()
    records = _in_order()
    if selection != "all":
        records = [
            record for record in records if selection in (record.group, record.set_name, *record.subsets)
        ]
    if records:
        return tuple(record.name for record in records)
    name = str(selection)
    if found := _found(name):
        return (found.name,)
    known = [*_alike(name), *GROUPS, *_sets, *subsets(), "all", "none"]
    raise ValueError(f"Unknown corruption, group, set or subset {selection!r}: {_advice(name, known)}")


def _alike(name: str) -> list[str]:
    """Return the names of all corruptions, with those of their sets if `name` has one."""
    return [record.full_name if "/" in name else record.name for record in _in_order()]


def _in_order() -> list[Corruption]:
    """Return the records group by group; in a group, those with bare names come first."""
    return sorted(_records.values(), key=lambda record: (GROUPS.index(record.group), "/" in record.name))


def _found(name: str) -> Corruption | None:
    """Return the corruption of a short or full name, which must not be the short name of two."""
    if name in _records:  # a corruption's own name stays valid whatever other sets contain
        return _records[name]
    found = [record for record in _in_order() if name in (record.full_name, record.short_name)]
    if len(found) > 1:
        raise ValueError(
            f"Expected one corruption, but '{name}' is short for "
            f"{' and '.join(record.full_name for record in found)}: use one of these names."
        )
    return found[0] if found else None


def _advice(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}."
