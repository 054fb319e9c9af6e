"""Where the installed `imagecorruptions` keeps its files; the package itself is not imported."""

import importlib.util
from pathlib import Path

__all__ = ["MissingDependency", "published_folder"]


class MissingDependency(ImportError):
    """A library that a corruption needs cannot be imported; the message says what to install."""


def published_folder() -> Path:
    """Return the package's folder, which holds its source and the photographs of frost."""
    spec = importlib.util.find_spec("imagecorruptions")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(
            "Expected imagecorruptions to be installed, for frost and the reference, but it is not: "
            "run `pip install imagecorruptions`."
        )
    return Path(spec.submodule_search_locations[0])
