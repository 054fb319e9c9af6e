"""Parse JSON and TOML of any origin; whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any

__all__ = ["from_json", "from_toml"]


def from_json(content: str | bytes) -> Any:
    """Return what JSON holds; bytes are UTF-8.

    Raises
    ------
    ValueError
        If it is not JSON, or nested too deeply.
    """
    return _unnested(json.loads, content)


def from_toml(content: str | bytes) -> dict[str, Any]:
    """Return what TOML holds; bytes are UTF-8, with or without a byte order mark.

    Raises
    ------
    ValueError
        If it is not TOML, or nested too deeply.
    """
    found: dict[str, Any] = _unnested(tomllib.loads, content)
    return found


def _unnested(parse: Callable[[str], Any], content: str | bytes) -> Any:
    try:
        return parse(content if isinstance(content, str) else content.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
