"""Find the main one of a model's outputs, by its name or by the card's choice, and say which it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from robseg.errors import InputError

__all__ = ["Main", "Ordered", "main_output"]

# The names under which torchvision and transformers answer logits.
ANSWERS = ("out", "logits")


class Ordered(dict[str, Any]):
    """Named outputs whose order counts: without a known name, the first is the main one."""


class Main(NamedTuple):
    """The main output; `chosen` says which of several it is, "" if there is only one or a card chose it.

    `guessed` is true if nothing but its place speaks for it.
    """

    output: Any
    chosen: str = ""
    guessed: bool = False


def main_output(answer: Any, wanted: int | str | None = None) -> Main:
    """Return the main one of what a model answers, without its wrappings.

    `wanted` is the card's choice: a name, or a number from 0. Without one, it is the output called "out" or
    "logits", else the first of a sequence.

    Raises
    ------
    InputError
        If there is no such output, or only names that are not known.

    Examples
    --------
    >>> main_output({"aux": np.ones(1), "out": [np.zeros(2)]})
    Main(output=array([0., 0.]), chosen="output 'out' of aux, out", guessed=False)
    >>> main_output((np.ones(1), np.zeros(2)), 1).output
    array([0., 0.])
    """
    outputs = _outputs(answer)
    if outputs is None:
        if wanted is not None:
            raise _missing(wanted, "a single one")
        return Main(answer)
    key = _wanted(outputs, wanted)
    if key is not None:
        return Main(main_output(outputs[key]).output)
    key, guessed = _main(outputs)
    inner = main_output(outputs[key], wanted)
    if len(outputs) == 1 or inner.guessed:
        return inner
    return Main(inner.output, f"output {key!r} of {_listed(outputs)}", guessed)


def _outputs(answer: Any) -> dict[Any, Any] | None:
    """Return a model's outputs by their names or numbers, None if there is only one, in no wrapping."""
    if isinstance(answer, Mapping):
        return answer if isinstance(answer, Ordered) else dict(answer)
    if isinstance(answer, tuple) and hasattr(answer, "_asdict"):
        return Ordered(answer._asdict())
    if isinstance(answer, tuple | list) and answer:
        return dict(enumerate(answer))
    if isinstance(answer, Tensor | np.ndarray):
        return None
    return {name: getattr(answer, name) for name in ANSWERS if hasattr(answer, name)} or None


def _wanted(outputs: dict[Any, Any], wanted: int | str | None) -> Any:
    """Return the key of the output that a card names; None if it names none, or one further inside."""
    if wanted is None or wanted in outputs:
        return wanted
    if isinstance(wanted, int) and len(outputs) > 1 and -len(outputs) <= wanted < len(outputs):
        return list(outputs)[wanted]
    if len(outputs) == 1:
        return None
    raise _missing(wanted, _listed(outputs))


def _main(outputs: dict[Any, Any]) -> tuple[Any, bool]:
    """Return the key of the main output, and whether only its place speaks for it."""
    named = [name for name in ANSWERS if name in outputs]
    if named:
        return named[0], False
    if isinstance(outputs, Ordered) or 0 in outputs:
        return next(iter(outputs)), True
    raise InputError(
        f"Expected a dict of answers to have {' or '.join(ANSWERS)}, but got {_listed(outputs)}: return the "
        "logits alone, or name the main one as `output` in the model's card."
    )


def _missing(wanted: int | str, there: str) -> InputError:
    return InputError(
        f"Expected the model to answer the output {wanted!r} of its card, but it answers {there}: "
        "correct `output` in the card, or leave it out."
    )


def _listed(outputs: dict[Any, Any]) -> str:
    return ", ".join(map(str, outputs)) if 0 not in outputs else f"{len(outputs)} without names"
