"""Find a network's tensors in a checkpoint in which other modules wrap the network or stand beside it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor

from robseg.errors import InputError

__all__ = ["fitted_inside"]

Result = TypeVar("Result")

# What torch.compile and DataParallel put into names, also in the middle of them.
WRAPPERS = ("_orig_mod", "module")

# A prefix is tried if at least one in so many tensors has it: trying all would take seconds.
SHARE = 4

logger = logging.getLogger("robseg")


def fitted_inside(
    fit: Callable[[dict[str, Tensor]], Result], tensors: Mapping[str, Tensor], origin: str
) -> Result:
    """Return what `fit` returns for a checkpoint's tensors, or for those under the only prefix that fits.

    `fit` raises InputError unless the tensors are exactly those of its network. A warning says which prefix
    was taken off and what was left out.

    Raises
    ------
    InputError
        The one of `fit` if nothing fits; one that names all prefixes if several do.
    """
    try:
        return fit(dict(tensors))
    except InputError as error:
        unfit = error
    for named in (dict(tensors), _unwrapped(tensors)):
        found = {}
        for prefix in _prefixes(named):
            inner = {key.removeprefix(prefix): one for key, one in named.items() if key.startswith(prefix)}
            try:
                found[prefix] = fit(inner)
            except (InputError, RuntimeError):  # RuntimeError: torch cannot convert tensors of such shapes
                continue
        if len(found) > 1:
            raise InputError(
                f"Expected {origin} to hold one set of tensors that fits, but it has several, under "
                f"{' and '.join(map(repr, found))}: save one of them alone."
            ) from unfit
        for prefix, result in found.items():
            left_out = [key for key in named if not key.startswith(prefix)]
            logger.warning(
                "Of %s, the tensors under '%s' are those of the network%s.",
                origin,
                prefix,
                f"; {len(left_out)} others are left out ({', '.join(left_out[:3])})" if left_out else "",
            )
            return result
    raise unfit


def _unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors whose names lack the wrappers' parts; {} if two get the same name."""
    named = {
        ".".join(part for part in key.split(".") if part not in WRAPPERS): tensor
        for key, tensor in tensors.items()
    }
    return named if len(named) == len(tensors) else {}


def _prefixes(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the prefixes that many names have, "" among them, the shortest first."""
    counts: Counter[str] = Counter()
    for key in tensors:
        parts = key.split(".")
        counts.update(".".join([*parts[:depth], ""]) for depth in range(len(parts)))
    return [prefix for prefix, count in counts.items() if count * SHARE >= len(tensors)]
