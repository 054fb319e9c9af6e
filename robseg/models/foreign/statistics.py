"""Keep packages from sending statistics about their users."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

__all__ = ["unreported"]

# OpenVINO sends none in a CI system, and NNCF none in its own.
VARIABLES = {"CI": "true", "NNCF_CI": "1"}


@contextlib.contextmanager
def unreported() -> Iterator[None]:
    """Import and use OpenVINO and NNCF in this context without their telemetry."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(VARIABLES)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
