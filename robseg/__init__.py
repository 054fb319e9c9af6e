"""Measure how robust a semantic-segmentation model is to image corruptions, and keep it that way.

>>> import robseg
>>> results = robseg.evaluate("enet", corruptions="fog", limit=4)  # doctest: +SKIP
>>> results.summary, results.scores, results.classes  # pandas DataFrames  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports import Results, load
    from robseg.api import evaluate
    from robseg.datasets import open_dataset
    from robseg.errors import IncompleteRun, InputError
    from robseg.models.catalogue import list_cards as list_models
    from robseg.models.model import Model, load_model

__all__ = [
    "IncompleteRun",
    "InputError",
    "Model",
    "Results",
    "evaluate",
    "list_models",
    "load",
    "load_model",
    "open_dataset",
]

# Imported when asked for: `robseg --help` and `robseg list` do without torch.
_HOMES = {
    "IncompleteRun": "robseg.errors",
    "InputError": "robseg.errors",
    "Model": "robseg.models.model",
    "Results": "reports",
    "evaluate": "robseg.api",
    "list_models": "robseg.models.catalogue:list_cards",
    "load": "reports",
    "load_model": "robseg.models.model",
    "open_dataset": "robseg.datasets",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'robseg' has no attribute '{name}'")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute or name)
