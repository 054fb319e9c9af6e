"""Check values of JSON files, TOML files and Python calls against the annotations of a dataclass.

JSON and TOML know fewer types than Python: a list is read as a tuple, and a whole number as a float where one
is annotated. Everything else must be as annotated, so that whoever uses a value can trust its type. Errors
name the place of the wrong value, such as `models[0].card.mean`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import os
import reprlib
import types
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from reports.run.errors import InputError, unknown_name

__all__ = [
    "ANY",
    "WORDS",
    "Range",
    "WrongValue",
    "expected",
    "shown",
    "typed",
    "typed_fields",
]

DEEPEST = 32  # levels of lists and objects in each other where anything may stand
ABSTRACT: dict[type, Any] = {int: Integral, float: Real}  # NumPy's numbers are numbers too
WHOLE = range(-(2**63), 2**64)  # what fits in 64 bits, signed or not


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers that a field may hold; `above` and `below` are limits that it may not reach."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"from {self.least} to {self.most}"
        limits = {
            "of at least": self.least,
            "of at most": self.most,
            "above": self.above,
            "below": self.below,
        }
        return " and ".join(f"{word} {limit}" for word, limit in limits.items() if limit is not None)


ANY = Range()

# What a type is called in messages: one value of it, and several.
WORDS: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("text", "names"),
    bool: ("true or false", "switches"),
    Path: ("a path", "paths"),
    dict: ("a table", "tables"),
}


class WrongValue(InputError):
    """A value is not what the annotation says; `place` names the value."""

    def __init__(self, place: str, expected: str, value: object) -> None:
        super().__init__(f"Expected `{place}` to be {expected}, but got {shown(value)}.")


def typed(hint: Any, value: Any, place: str, limits: Range = ANY) -> Any:
    """Return a value as an annotation says it: of a scalar, Literal, tuple, dict, dataclass or TypedDict.

    `Any` stands for what JSON can hold. A dataclass has no further keys; a TypedDict may have some, and
    Annotated[dict[str, Any], SomeTypedDict] is such a dict. A Range in Annotated, or `limits`, holds for all
    numbers inside.

    Raises
    ------
    WrongValue
        If the value is something else.

    Examples
    --------
    >>> typed(dict[str, tuple[float, ...]], {"mean": [1, 2]}, "card")
    {'mean': (1.0, 2.0)}
    >>> typed(Annotated[tuple[int, int] | None, Range(least=1)], [480, 0], "card.test_size")
    Traceback (most recent call last):
    reports.run.typed.WrongValue: Expected `card.test_size[1]` to be a whole number of at least 1, but got 0.
    """
    if hint in WORDS:
        return _scalar(hint, value, place, limits)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        hint = next((note for note in arguments[1:] if is_typeddict(note)), arguments[0])
        limits = next((note for note in arguments[1:] if isinstance(note, Range)), limits)
        return typed(hint, value, place, limits)
    if origin is NotRequired:
        return typed(arguments[0], value, place, limits)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _one_of([kind for kind in arguments if kind is not type(None)], value, place, limits)
    if hint is Any:
        return _any(value, place)
    if dataclasses.is_dataclass(hint) or is_typeddict(hint):
        return _record(hint, value, place)
    if origin is tuple:
        return _tuple(hint, value, place, limits)
    if origin is dict:
        return _dict(arguments[1], value, place)
    return _scalar(hint, value, place, limits)


def typed_fields(kind: type, values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return some fields of a dataclass or TypedDict by name, each as it is annotated.

    Raises
    ------
    InputError
        If a value is wrong, or the dataclass has no such field.
    """
    hints = _hints(kind)
    fields = {}
    for name, value in values.items():
        if name not in hints and not is_typeddict(kind):
            raise unknown_name(f"field of {place}" if place else "field", str(name), hints)
        fields[name] = typed(hints.get(name, Any), value, _inside(place, name))
    return fields


def expected(hint: Any, limits: Range = ANY) -> str:
    """Return what an annotation stands for, in words.

    Examples
    --------
    >>> expected(tuple[float, float, float], Range(above=0))
    '3 numbers above 0'
    """
    arguments = get_args(hint)
    if get_origin(hint) is Literal:
        *most, last = map(str, arguments)
        return f"{', '.join(most)} or {last}"
    if get_origin(hint) is not tuple:
        return f"{WORDS[hint][0]} {limits}".strip()
    number = "" if Ellipsis in arguments else f"{len(arguments)} "
    return f"{number}{WORDS.get(arguments[0], ('', 'lists'))[1]} {limits}".strip()


def _one_of(kinds: list[Any], value: Any, place: str, limits: Range) -> Any:
    if len(kinds) == 1:
        return typed(kinds[0], value, place, limits)
    for kind in kinds:
        with contextlib.suppress(WrongValue):
            return typed(kind, value, place, limits)
    raise WrongValue(place, " or ".join(expected(kind, limits) for kind in kinds), value)


def _record(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, Mapping):
        raise WrongValue(place or "it", expected(dict), value)
    fields = typed_fields(kind, value, place)
    missing = sorted(_required(kind) - fields.keys())
    if missing:
        whole = f"`{place}`" if place else "it"
        raise InputError(f"Expected {whole} to have {', '.join(missing)}, which it lacks.")
    return kind(**fields)


def _tuple(hint: Any, value: Any, place: str, limits: Range) -> tuple[Any, ...]:
    items = get_args(hint)
    several = Ellipsis in items
    if not isinstance(value, list | tuple) or (not several and len(value) != len(items)):
        raise WrongValue(place, expected(hint, limits), value)
    return tuple(
        typed(items[0 if several else index], item, f"{place}[{index}]", limits)
        for index, item in enumerate(value)
    )


def _dict(hint: Any, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongValue(place, expected(dict), value)
    return {_key(key, place): typed(hint, item, _inside(place, key)) for key, item in value.items()}


def _scalar(kind: Any, value: Any, place: str, limits: Range) -> Any:
    if kind in (int, float):
        return _number(kind, value, place, limits)
    if get_origin(kind) is Literal:
        # True equals 1.
        right = any(type(value) is type(choice) and value == choice for choice in get_args(kind))
    elif kind is Path:
        right = isinstance(value, str | Path) and value != "" and _names_a_file(value)
        value = Path(value) if right else value
    else:
        right = isinstance(value, kind)
    if not right:
        raise WrongValue(place, expected(kind, limits), value)
    if kind is str and not value.isascii():
        _check_unicode(value, place)
    return value


def _number(kind: Any, value: Any, place: str, limits: Range) -> Any:
    if isinstance(value, bool) or not isinstance(value, ABSTRACT[kind]):
        raise WrongValue(place, expected(kind, limits), value)
    if kind is int and int(value) not in WHOLE:
        raise WrongValue(place, f"{expected(kind, limits)} that fits in 64 bits", value)
    try:
        number: float = kind(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number not in limits:
        raise WrongValue(place, expected(kind, limits), value)
    return number


def _names_a_file(path: str | Path) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _check_unicode(text: str, place: str) -> None:
    """Refuse half a pair of surrogates, which JSON can hold and no file of text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WrongValue(place, "text that UTF-8 can hold", text) from None


def _any(value: Any, place: str, depth: int = 0) -> Any:
    """Return a value that JSON can hold, with tuples for lists."""
    if depth > DEEPEST:
        raise WrongValue(place.partition("[")[0], f"at most {DEEPEST} lists or objects in each other", value)
    if isinstance(value, list | tuple):
        return tuple(_any(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value))
    if isinstance(value, Mapping):
        return {_key(key, place): _any(item, _inside(place, key), depth + 1) for key, item in value.items()}
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return _scalar(kind, value, place, ANY)
    if value is None:
        return None
    raise WrongValue(place, "a value that JSON can hold", value)


def _key(key: Any, place: str) -> str:
    name: str = typed(str, key, f"{place} key")
    return name


def _inside(place: str, key: Any) -> str:
    """Return the place of a value in a table."""
    text = str(key) if str(key).isprintable() else repr(key)
    return f"{place}.{text}" if place else text


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _required(kind: Any) -> frozenset[str]:
    if is_typeddict(kind):
        hints = _hints(kind).items() if kind.__total__ else ()
        return frozenset(name for name, hint in hints if get_origin(hint) is not NotRequired)
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )


class _Short(reprlib.Repr):
    """A repr of at most a few hundred characters, whatever the value."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 200

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002
        """Return the digits of a number, if a person may have written them."""
        return repr(x) if abs(x) < 10**40 else f"a number of {x.bit_length()} bits"


def shown(value: object) -> str:
    """Return a wrong value as a message shows it: shortened if it is long or nested.

    Examples
    --------
    >>> shown({"epochs": 10**5000})
    "{'epochs': a number of 16610 bits}"
    """
    return _Short().repr(value)
