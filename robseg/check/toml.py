"""Lines of a dataset.toml that declare labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from robseg.check.report import Undeclared
from robseg.options import read_toml, to_toml

__all__ = ["class_table", "declarations"]


def class_table(value: int | list[int], comment: str, color: list[int] | None = None) -> str:
    """Return the table of a class with a placeholder as its name.

    Examples
    --------
    >>> print(class_table(7, "in 2 targets"))
    # in 2 targets
    [[classes]]
    name = "class-7"
    id = 7
    <BLANKLINE>
    """
    if isinstance(value, list):
        name = f"class-{''.join(f'{channel:02x}' for channel in value)}"
        keys: dict[str, Any] = {"name": name, "color": value}
    else:
        keys = {"name": f"class-{value}", "id": value, "color": color or None}
    return f"# {comment}\n[[classes]]\n{to_toml(keys)}"


def declarations(undeclared: Iterable[Undeclared], root: Path) -> str:
    """Return what to add to a dataset.toml: tables that make labels classes, or a line that ignores them."""
    found = tuple(undeclared)
    if not found:
        return ""
    tables = [class_table(each.value, f"{each.pixels} pixels in {len(each.files)} targets") for each in found]
    file = root / "dataset.toml" if root.is_dir() else root
    ignored = read_toml(file).get("ignore", []) + [each.value for each in found]
    return "\n".join(
        [
            f"# To make them classes, add to the end of {file.name} (and give them names):\n",
            *tables,
            f"# Or to leave them out of the scores, write this before the first class of {file.name}:\n",
            to_toml({"ignore": ignored}),
        ]
    )
