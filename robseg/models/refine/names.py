"""What the refinement, and a refined model, are called."""

from __future__ import annotations

__all__ = ["METHOD", "refined_name"]

METHOD = "segfix"  # the architecture, and the value of `--refine`


def refined_name(model: str) -> str:
    """Return the name of a model with refined labels.

    Examples
    --------
    >>> refined_name("enet@streets")
    'enet@streets+segfix'
    """
    return f"{model}+{METHOD}"
