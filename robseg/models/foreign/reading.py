"""What an adapter returns, and how adapters read files and packages of others."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.checkpoints.weights import as_float32, fitted, read_weights, sha256_of_tensors, unwrapped
from robseg.models.checkpoints.wrapped import fitted_inside

__all__ = [
    "GIVEN",
    "Foreign",
    "Weights",
    "existing",
    "last_line",
    "origin_of",
    "package",
    "reading",
    "take_weights",
    "tensors_of",
    "weights_name",
    "without_weights",
]

Weights = str | os.PathLike[str] | Mapping[str, Any]

GIVEN = "the given state dict"

LONGEST = 200  # characters of a foreign package's message; some list every name they know


@dataclasses.dataclass(frozen=True)
class Foreign:
    """Somebody else's model: normalised float (N, 3, H, W) to logits (N, C, h, w).

    The card's `class_names` are empty if the source does not state them; `num_classes` is None if only
    running the model shows it. `sha256` is that of the file or of the tensors, "" if there is neither.
    """

    card: Card
    network: nn.Module
    sha256: str
    num_classes: int | None = None


def package(name: str, extra: str) -> Any:
    """Import an optional package; if it is missing, InputError names the pip command."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"Expected the package {name} for {extra}, but it cannot be imported ({error}): run "
            f'pip install "robseg[{extra}]"'
        ) from error


def existing(name: str, kind: str) -> Path:
    """Return the absolute path of a model's file, which must exist."""
    path = Path(name)
    if not path.is_file():
        raise InputError(f"Expected {kind} at {name}, but there is no such file: check the path.")
    return path.resolve()


@contextlib.contextmanager
def reading(what: str, advice: str) -> Iterator[None]:
    """Turn whatever a foreign package raises in this context into an InputError of one line."""
    try:
        yield
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:  # also SystemExit, which would end the program as if all were done
        raise InputError(f"Expected {what}, but got {last_line(error)}: {advice}.") from error


def last_line(error: BaseException) -> str:
    """Return an error's name and the last line of its message.

    Examples
    --------
    >>> last_line(ValueError("went wrong because\\nthe size is odd."))
    'ValueError (the size is odd)'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    message = lines[-1] if len(lines[-1]) <= LONGEST else f"{lines[-1][:LONGEST]}..."
    return f"{type(error).__name__} ({message.rstrip('.')})"


def take_weights(network: nn.Module, weights: Weights | None, title: str) -> str:
    """Load a file or state dict, if given, into a network, and return the SHA-256 of its weights."""
    if weights is None:
        return sha256_of_tensors(network.state_dict())
    tensors, sha256 = tensors_of(weights)
    expected = network.state_dict()
    fitting = fitted_inside(lambda inner: fitted(title, inner, expected), tensors, origin_of(weights))
    network.load_state_dict(fitting, strict=True)
    return sha256


def tensors_of(weights: Weights) -> tuple[dict[str, Tensor], str]:
    """Return the tensors of a file or state dict, floating-point ones as float32, and their SHA-256."""
    if isinstance(weights, Mapping):
        tensors = unwrapped(weights, GIVEN)
        return as_float32(tensors), sha256_of_tensors(tensors)
    return read_weights(Path(weights)), sha256_of(Path(weights))


def origin_of(weights: Weights) -> str:
    """Return what messages call weights."""
    return GIVEN if isinstance(weights, Mapping) else str(weights)


def weights_name(weights: Weights) -> str:
    """Return a name for weights: the stem of their file."""
    return "state_dict" if isinstance(weights, Mapping) else Path(weights).stem


def without_weights(weights: Weights | None, title: str) -> None:
    """Raise InputError if weights are given for a model that contains its own."""
    if weights is not None:
        raise InputError(
            f"Expected no weights for {title}, which contains its own, but got some: leave --weights out."
        )
