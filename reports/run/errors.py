"""The errors that a user can fix; all three packages raise them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["IncompleteRun", "InputError", "InvalidRun", "MissingCounts", "unknown_name"]


class InputError(ValueError):
    """Wrong usage or input: the command line prints the message without a traceback and exits with 2.

    The message has one or two lines: what was expected, what was found, and what to do.
    """


class InvalidRun(InputError):
    """A run's folder is missing, damaged, or unsuitable for what was asked."""


class IncompleteRun(RuntimeError):
    """A run has work left over: the command line prints the message without a traceback and exits with 3."""


class MissingCounts(InvalidRun, IncompleteRun):
    """A run that was to be read lacks predictions."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for an unknown name; its message suggests the most similar known name.

    Examples
    --------
    >>> print(unknown_name("data set", "camvit", ["camvid", "streets"]))
    Unknown data set 'camvit': did you mean 'camvid'? The known ones are camvid, streets.
    """
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return InputError(f"Unknown {kind} {name!r}: {hint}The known ones are {', '.join(known)}.")
