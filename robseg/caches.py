"""The folder for what can be made or downloaded again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return $ROBSEG_HOME, or else robseg's folder in the system's cache folder."""
    if chosen := os.environ.get("ROBSEG_HOME"):
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("robseg", appauthor=False, opinion=False)
