"""Widths of boundaries as people type them."""

from __future__ import annotations

from robseg.errors import InputError

__all__ = ["parse_widths"]


def parse_widths(text: str | None) -> tuple[int, ...]:
    """Return widths such as "2,5" as numbers, each once, in order; None stands for none.

    Examples
    --------
    >>> parse_widths("5,2")
    (2, 5)
    """
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise InputError(f"Expected widths of boundaries in pixels, such as 2,5, but got {text!r}.")
    return tuple(sorted({int(part) for part in parts}))
