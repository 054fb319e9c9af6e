"""The conditions of a run: the clean images, and each corruption at each of its severities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import corruptions
from reports.run.record import CLEAN, Condition
from robseg.errors import InputError

__all__ = ["CLEAN_CONDITION", "conditions_of", "names_of", "severities_of"]

CLEAN_CONDITION = Condition(CLEAN, 0, CLEAN)


def names_of(selections: Sequence[str]) -> tuple[str, ...]:
    """Return the corruptions, each once, that names, groups and subsets select; "none" selects none.

    Raises
    ------
    InputError
        If a name is neither a corruption, a group nor a subset.

    Examples
    --------
    >>> names_of(["fog", "snow", "fog"])
    ('fog', 'snow')
    """
    try:
        found = [name for selection in selections for name in corruptions.names(selection)]
    except ValueError as error:
        raise InputError(str(error)) from error
    return tuple(dict.fromkeys(found))


def severities_of(
    selections: Sequence[str] | None, severities: Sequence[int] | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the severities of each selected corruption, each once. None: all corruptions, all severities.

    A selection such as fog:3 has its own severity.

    Raises
    ------
    InputError
        If a name is unknown, a corruption does not have a severity, or nothing is selected.

    Examples
    --------
    >>> severities_of(["fog", "snow"], [3, 1, 3])
    {'fog': (3, 1), 'snow': (3, 1)}
    >>> severities_of(["fog:3", "snow", "fog:5"], [1])
    {'fog': (3, 5), 'snow': (1,)}
    """
    if selections is None:
        selections = ("all",)
    if not selections:
        raise InputError("Expected corruptions, but got an empty list: name some, or none for clean images.")
    if severities is not None and not severities:
        raise InputError(
            "Expected severities, but got an empty list: choose some, or leave them out for all."
        )
    asked = tuple(dict.fromkeys(severities or ()))
    found: dict[str, tuple[int, ...]] = {}
    for selection in selections:
        chosen, colon, severity = selection.partition(":")
        for name in names_of([chosen]):
            levels = (_severity(severity, selection),) if colon else asked or corruptions.get(name).severities
            found[name] = tuple(dict.fromkeys([*found.get(name, ()), *levels]))
    conditions_of((name, severity) for name, levels in found.items() for severity in levels)
    return found


def _severity(text: str, selection: str) -> int:
    if not text.isdecimal():
        raise InputError(f"Expected a corruption and a severity, such as fog:3, but got '{selection}'.")
    return int(text)


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
