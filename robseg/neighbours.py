"""Check that `import corruptions` and `import reports` find our packages, and nothing else of these names.

Ours lie beside this package. A `corruptions.py` in the working folder hides ours from `python -m robseg`.
Another distribution with a package `reports` may come before ours on the path, or write over it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["refuse_hidden"]

NAMES = ("corruptions", "reports")
MARK = '__part_of__ = "robseg"'  # a line of our packages' __init__.py
HOME = Path(__file__).resolve().parents[1]


def refuse_hidden() -> None:
    """Raise ImportError if another file hides one of our packages.

    The command line gets one line on stderr and exit code 2 in its place.
    """
    for name in NAMES:
        message = _hidden(name)
        if message is None:
            continue
        if _is_command():
            sys.stderr.write(f"Error: {message}\n")
            raise SystemExit(2)
        raise ImportError(message, name=name)


def _hidden(name: str) -> str | None:
    """Return what is wrong with a package of ours, or None."""
    spec = find_spec(name)
    ours = HOME / name / "__init__.py"
    found = Path(spec.origin).resolve() if spec and spec.origin else None
    if found is not None and found != ours:
        return f"{found} hides robseg's own package '{name}' ({ours.parent}): rename it or move it away."
    if found is None or MARK not in found.read_text(encoding="utf-8"):
        return (
            f"Expected {ours} to be robseg's own, but another package has replaced it: uninstall that one, "
            "then reinstall robseg."
        )
    return None


def _is_command() -> bool:
    """Return whether this process is `robseg` or `python -m robseg`."""
    program = sys.argv[0] if sys.argv else ""
    as_module = program == "-m" and "robseg" in sys.orig_argv  # so while Python looks for the module to run
    return as_module or Path(program).stem == "robseg"
