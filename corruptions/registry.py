"""The corruption records: registered beside their definition, found by name, group or subset."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.random import Stream

__all__ = [
    "GROUPS",
    "IMAGENET_C",
    "SUBSETS",
    "Apply",
    "ApplyAll",
    "Corruption",
    "Displacement",
    "Parameters",
    "by_severity",
    "get",
    "names",
    "register",
]

GROUPS = ("noise", "blur", "weather", "digital", "camera")
SUBSETS = ("common", "validation", "imagenet-c", "kamann", "all")

IMAGENET_C = "Hendrycks & Dietterich, ICLR 2019 (ImageNet-C); constants of imagecorruptions 1.1.2"

Parameters = Mapping[str, float]
Apply = Callable[[NDArray[np.uint8], Parameters, Stream], NDArray[np.uint8]]
ApplyAll = Callable[[NDArray[np.uint8], Sequence[Parameters], Sequence[Stream]], Iterable[NDArray[np.uint8]]]
Displacement = Callable[[int, int, Parameters, Stream], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Corruption:
    """What is known of one corruption; `parameters` has one mapping per severity, weakest first.

    `apply` maps a C-contiguous (H, W, 3) image with sides of at least 32 pixels, the parameters and the
    stream of draws (ignored by deterministic corruptions) to a new image of the same shape.
    `apply_all`, where there is one, does so for several severities of one image with less work.
    `displacement` is set for the corruptions that move pixels: it maps (height, width, parameters,
    stream) to the (2, H, W) row and column from which each output pixel is taken, NaN where from nowhere.
    `substitute` marks constants that are ours because the source does not publish its own.
    """

    name: str
    group: str
    parameters: tuple[Parameters, ...]
    random: bool
    source: str
    subsets: tuple[str, ...]
    apply: Apply
    apply_all: ApplyAll | None = None
    displacement: Displacement | None = None
    substitute: bool = False

    @property
    def moves_pixels(self) -> bool:
        """Whether a target has to be moved along with the image."""
        return self.displacement is not None


def by_severity(**columns: tuple[float, ...]) -> tuple[Parameters, ...]:
    """Turn one column of five values per parameter into one mapping per severity.

    Examples
    --------
    >>> by_severity(scale=(0.08, 0.12, 0.18, 0.26, 0.38))[0]["scale"]
    0.08
    """
    return tuple(
        MappingProxyType(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    )


_records: dict[str, Corruption] = {}


def register(record: Corruption) -> Corruption:
    """Make a corruption known; a second one of the same name is a programmer's mistake and raises."""
    if record.name in _records:
        raise ValueError(f"The corruption '{record.name}' is registered twice.")
    if record.group not in GROUPS:
        raise ValueError(f"Expected `group` to be one of {', '.join(GROUPS)}, but got '{record.group}'.")
    if len(record.parameters) != 5:
        raise ValueError(f"Expected 5 severities of '{record.name}', but got {len(record.parameters)}.")
    _records[record.name] = record
    return record


def get(name: str) -> Corruption:
    """Return the record of a corruption.

    Examples
    --------
    >>> get("gaussian_noise").parameters[2]["scale"]
    0.18
    >>> get("fogg")
    Traceback (most recent call last):
    ValueError: Unknown corruption 'fogg': did you mean 'fog'?
    """
    if not isinstance(name, str):
        raise ValueError(
            f"Expected `name` to be a str, but got {type(name).__name__}: give one of corruptions.names()."
        )
    if name not in _records:
        raise ValueError(f"Unknown corruption '{name}': {_advice(name, list(_records))}")
    return _records[name]


def names(selection: str = "all") -> tuple[str, ...]:
    """Return the corruptions of a group or subset, in the order of the groups, then of ImageNet-C.

    A selection is a group (noise, blur, weather, digital, camera), a subset (common, validation,
    imagenet-c, kamann, all), the name of one corruption, or "none".

    Examples
    --------
    >>> names("weather")
    ('snow', 'frost', 'fog', 'spatter')
    >>> names("fog"), names("none")
    (('fog',), ())
    """
    if selection == "none":
        return ()
    if selection == "all":
        return tuple(_records)
    if selection in GROUPS:
        return tuple(name for name, record in _records.items() if record.group == selection)
    if selection in SUBSETS:
        return tuple(name for name, record in _records.items() if selection in record.subsets)
    if selection in _records:
        return (selection,)
    known = [*_records, *GROUPS, *SUBSETS, "none"]
    raise ValueError(f"Unknown corruption, group or subset {selection!r}: {_advice(str(selection), known)}")


def _advice(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}."
