"""`py:package.module:factory`: a user's function that makes a model, or the model itself."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.foreign.callables import foreign_of
from robseg.models.foreign.reading import Foreign, Weights, last_line, reading

__all__ = ["load"]

Made = Callable[..., Any]


def load(name: str, weights: Weights | None, device: object) -> Foreign:
    """Return what the factory makes: a module, a callable, (either, Card), or an object with `.card`.

    Raises
    ------
    InputError
        If there is no such module or factory, or the factory raises or makes something else.
    """
    model, card = _made(name)
    foreign = foreign_of(
        model, f"py:{name}", weights, lambda state: functools.partial(_again, name, state, device)
    )
    if card is None:
        return foreign
    card = dataclasses.replace(card, options={**card.options, **foreign.card.options})
    return dataclasses.replace(foreign, card=card)


def _made(name: str) -> tuple[Made, Card | None]:
    """Return the model that a factory makes, and its card if it comes with one."""
    found = _found(name)
    made = found
    if not isinstance(found, nn.Module):
        advice = "fix it, or name a function that makes the model without arguments"
        with reading(f"py:{name} to make a model", advice):
            made = found()
    model, card = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not callable(model) and isinstance(getattr(model, "network", None), nn.Module):
        card = card or getattr(model, "card", None)  # as a Model of ours
        model = model.network
    if not callable(model) or not (card is None or isinstance(card, Card)):
        raise InputError(
            f"Expected py:{name} to make a model, or a model and its Card, but got {type(made).__name__}: "
            "return a torch.nn.Module or another callable."
        )
    return cast(Made, model), card


def _found(name: str) -> Any:
    """Return the object at `package.module:name`; modules in the current folder are found, too."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise InputError(f"Expected py:package.module:factory, but got 'py:{name}': name both, with a colon.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit, which would end the program as if all were done
        raise InputError(
            f"Expected to import the module '{module_name}' of py:{name}, but got {last_line(error)}: "
            "check its name and that it lies in this folder or is installed."
        ) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise InputError(
                f"Expected '{attribute}' in the module '{module_name}', but there is none: "
                f"it has {', '.join(_public(found)) or 'nothing'}."
            )
        found = getattr(found, part)
    if not callable(found):
        raise InputError(
            f"Expected py:{name} to be a function that makes a model, but got {type(found).__name__}: "
            "name one."
        )
    return found


def _public(module: Any, limit: int = 8) -> list[str]:
    names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    return names[:limit]


def _again(name: str, state: Mapping[str, Tensor] | None, device: Any) -> Made:
    """Make the model again in a worker process, with the weights that it had here."""
    model = _made(name)[0]
    if isinstance(model, nn.Module) and state is not None:
        model.load_state_dict(state, strict=True)
        model = model.eval().to(device)
    return model
