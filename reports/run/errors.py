"""The errors that a user can fix, for all three packages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["InputError", "InvalidRun", "MissingCounts", "unknown_name"]


class InputError(ValueError):
    """Wrong usage or input: the command line prints the message without a traceback and exits with 2.

    The message has one or two lines: what was expected, what came, what to do.
    """


class InvalidRun(InputError):
    """A run's folder is not what it should be."""


class MissingCounts(InvalidRun):
    """A run has not ended: predictions are missing."""


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
