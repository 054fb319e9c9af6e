"""What commands share that load one model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.errors import InputError
from robseg.evaluation.request import Request

if TYPE_CHECKING:
    from robseg.models.model import Model

__all__ = ["CARD", "WEIGHTS", "one_model"]

WEIGHTS = click.option(
    "--weights",
    "-w",
    type=click.Path(path_type=Path),
    default=None,
    help="Weights file to use in place of the model's own.",
)
CARD = click.option(
    "--model-card",
    "card",
    type=click.Path(path_type=Path),
    default=None,
    help="JSON file with fields of a model card to use in place of the model's own.",
)


def one_model(request: Request) -> Model:
    """Return the model of a request.

    Raises
    ------
    InputError
        If the request means several, or it cannot be loaded.
    """
    from robseg.evaluation import job, resolve

    source, *others = resolve.models(request)
    if others:
        raise InputError(f"Expected one model, but --model means {len(others) + 1}: choose one of them.")
    return job.loaded(source, request)
