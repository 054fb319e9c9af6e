"""The names of the refinement and of a refined model, and the published scale; without numpy."""

from __future__ import annotations

__all__ = ["METHOD", "SCALE", "refined_name"]

METHOD = "segfix"  # the architecture, and the value of `--refine`
SCALE = 2  # pixels for a unit of offset, as published


def refined_name(model: str) -> str:
    """Return the name of a model with refined labels.

    Examples
    --------
    >>> refined_name("enet@streets")
    'enet@streets+segfix'
    """
    return f"{model}+{METHOD}"
