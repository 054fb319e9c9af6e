"""The conditions of a run: the clean images, and each corruption at each of its severities."""

from __future__ import annotations

from collections.abc import Iterable

import corruptions
from reports.run.record import CLEAN, Condition
from robseg.errors import InputError

__all__ = ["CLEAN_CONDITION", "SEVERITIES", "conditions_of", "parse_corruptions"]

CLEAN_CONDITION = Condition(CLEAN, 0, CLEAN)
SEVERITIES = (1, 2, 3, 4, 5)


def parse_corruptions(text: str) -> tuple[str, ...]:
    """Return the corruptions named by a comma list of names, groups and subsets, each once ("none": none).

    Raises
    ------
    InputError
        If a name is neither a corruption, a group nor a subset.

    Examples
    --------
    >>> parse_corruptions("fog,snow,fog")
    ('fog', 'snow')
    """
    names: dict[str, None] = {}
    for part in (part.strip() for part in text.split(",")):
        try:
            names.update(dict.fromkeys(corruptions.names(part)))
        except ValueError as error:
            raise InputError(str(error)) from error
    return tuple(names)


def conditions_of(pairs: Iterable[tuple[str, int]]) -> tuple[Condition, ...]:
    """Return the clean condition followed by one condition for each (corruption, severity).

    Raises
    ------
    InputError
        If a corruption is unknown, or does not have a severity.
    """
    conditions = [CLEAN_CONDITION]
    for name, severity in pairs:
        if severity not in SEVERITIES:
            raise InputError(f"Expected severities from 1 to 5, but got {severity}.")
        try:
            conditions.append(Condition(name, severity, corruptions.get(name).group))
        except ValueError as error:
            raise InputError(str(error)) from error
    return tuple(conditions)
