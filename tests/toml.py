"""Write TOML files for tests, wrong ones too."""

import json
import math
from typing import Any

__all__ = ["toml"]


def toml(table: Any) -> bytes:
    """Return a table as TOML. What TOML lacks is written as in JSON, which makes the file a wrong one."""
    if not isinstance(table, dict):
        return _literal(table).encode(errors="surrogatepass")
    lines = (f"{json.dumps(key)} = {_literal(value)}\n" for key, value in table.items())
    return "".join(lines).encode(errors="surrogatepass")


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {_literal(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
