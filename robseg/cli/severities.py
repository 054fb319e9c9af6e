"""Severities as people type them."""

from __future__ import annotations

from robseg.errors import InputError

__all__ = ["parse_severities"]


def parse_severities(text: str | None) -> tuple[int, ...] | None:
    """Return severities such as "1,3,5" or "1-3" as numbers, each once; None stays None.

    Examples
    --------
    >>> parse_severities("1-3,5")
    (1, 2, 3, 5)
    """
    if text is None:
        return None
    severities: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()):
            raise InputError(f"Expected severities such as 3, 1,3,5 or 1-3, but got {text!r}.")
        severities += range(int(first), int(last or first) + 1)
    if not severities or not set(severities) <= {1, 2, 3, 4, 5}:
        raise InputError(f"Expected severities from 1 to 5, but got {text!r}.")
    return tuple(dict.fromkeys(severities))
