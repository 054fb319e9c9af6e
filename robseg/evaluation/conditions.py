"""The conditions of a run: the clean images, and each corruption at each of its severities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import corruptions
from reports.run.record import CLEAN, Condition
from robseg.errors import InputError

__all__ = ["CLEAN_CONDITION", "conditions_of", "parse_corruptions", "severities_of"]

CLEAN_CONDITION = Condition(CLEAN, 0, CLEAN)


def parse_corruptions(text: str) -> tuple[str, ...]:
    """Return the corruptions, each once, of a comma-separated list of names, groups and subsets, or "none".

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


def severities_of(text: str, severities: Sequence[int] | None = None) -> dict[str, tuple[int, ...]]:
    """Return the severities of each corruption that `text` names: the given ones, each once, else all.

    Raises
    ------
    InputError
        If a name is unknown, or a corruption does not have a severity.

    Examples
    --------
    >>> severities_of("fog,snow", [3, 1, 3])
    {'fog': (3, 1), 'snow': (3, 1)}
    """
    asked = None if severities is None else tuple(dict.fromkeys(severities))
    found = {name: asked or corruptions.get(name).severities for name in parse_corruptions(text)}
    conditions_of((name, severity) for name, levels in found.items() for severity in levels)
    return found


def conditions_of(pairs: Iterable[tuple[str, int]]) -> tuple[Condition, ...]:
    """Return the clean condition, and then one condition for each (corruption, severity).

    Raises
    ------
    InputError
        If a corruption is unknown, or does not have a severity.
    """
    conditions = [CLEAN_CONDITION]
    for name, severity in pairs:
        try:
            record = corruptions.get(name)
        except ValueError as error:
            raise InputError(str(error)) from error
        if severity not in record.severities:
            most = record.severities[-1]
            raise InputError(
                f"Expected a severity of {name} from 1 to {most}, but got {severity}: choose one of them."
            )
        conditions.append(Condition(record.name, severity, record.group))
    return tuple(conditions)
