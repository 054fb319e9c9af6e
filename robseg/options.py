"""Options said once: the annotated fields of a dataclass.

A field makes a flag of a command, a key of a TOML file, a keyword argument and a paragraph of documentation.
Its annotations are its help text (a second text is for Python only), a Range for numbers, and a Flag where a
command line needs to know more::

    limit: Annotated[int | None, "Evaluate the first N images only.", POSITIVE, Flag(metavar="N")] = None
"""

from __future__ import annotations

import dataclasses
import json
import textwrap
import types
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from reports.run.parse import from_toml
from reports.run.typed import ANY, WORDS, Range, WrongValue, expected, typed
from robseg.errors import InputError

__all__ = [
    "NON_NEGATIVE",
    "POSITIVE",
    "SHARE",
    "Field",
    "Flag",
    "Range",
    "described",
    "fields",
    "read_toml",
    "settle",
    "to_toml",
]


POSITIVE = Range(above=0)
NON_NEGATIVE = Range(least=0)
SHARE = Range(least=0, most=1)

MOST = 100_000  # values of one option; more, such as 1-99999999999, are a slip


@dataclasses.dataclass(frozen=True)
class Flag:
    """What a command line needs to know of a field beside its type.

    Parameters
    ----------
    name, short, off
        The long flag where it is not the field's name, its letter, and the flag that switches it off.
    metavar
        What stands for the value in the help.
    unset
        What the command does if the option is not given.
    names
        The kind of names that a shell completes (see `robseg.cli.completion`).
    many, commas
        Whether the option may be repeated, and whether commas may stand between several values.
    shell
        Whether the command line has this option; without it, it is a keyword argument only.
    """

    name: str = ""
    short: str = ""
    off: str = ""
    metavar: str = ""
    unset: str = ""
    names: str = ""
    many: bool = False
    commas: bool = False
    shell: bool = True


@dataclasses.dataclass(frozen=True)
class Field:
    """One option. `type` is that of what people can type, without None; `default` is ... if there is none.

    An `open` field also takes objects that nobody can type, such as a loaded model.
    """

    name: str
    type: Any
    text: str = ""
    python: str = ""
    default: Any = ...
    optional: bool = False
    open: bool = False
    range: Range = ANY
    flag: Flag = Flag()

    @property
    def key(self) -> str:
        """The option's name in a TOML file, and after the two dashes of a flag."""
        return (self.flag.name or self.name).replace("_", "-")

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is ...

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a Literal, else none."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def item(self) -> Any:
        """The type of the values of a field that holds several, else None."""
        return get_args(self.type)[0] if get_origin(self.type) in (tuple, Sequence) else None

    @property
    def length(self) -> int | None:
        """The number of values where it is fixed, else None."""
        arguments = get_args(self.type)
        return len(arguments) if get_origin(self.type) is tuple and Ellipsis not in arguments else None

    @property
    def each(self) -> Field:
        """The field of one of several values."""
        return dataclasses.replace(self, type=self.item)

    @property
    def expected(self) -> str:
        """What the field may hold, in words."""
        several = self.item is not None and self.length is None
        hint = types.GenericAlias(tuple, (self.item, ...)) if several else self.type
        example = ", such as 3, 1,3,5 or 1-3" if several and self.item is int else ""
        return expected(hint, self.range) + example

    def read(self, value: Any) -> Any:
        """Return a value from a TOML file or a Python call, checked; lists become tuples.

        A single value stands for a list of one, and a text with commas for a list of its parts.

        Raises
        ------
        InputError
            If the field cannot hold it.
        """
        if (value is None and self.optional) or (self.open and not isinstance(value, str)):
            return value
        if self.item is not None and hasattr(value, "tolist"):  # an array, a tensor, a column of a table
            value = value.tolist()
        if self.item is None:
            return self._read_one(value)
        if self.length is None and isinstance(value, str | Path | Real):
            value = self._split(value) if isinstance(value, str) and self.flag.commas else (value,)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(value)
        if self.length not in (None, len(value)) or len(value) > MOST:
            raise self._wrong(value)
        return tuple(self.each._read_one(one) for one in value)

    def parse(self, text: str) -> Any:
        """Return the value of a text from a command line or the environment, checked.

        Examples
        --------
        >>> Field("severities", tuple[int, ...], flag=Flag(commas=True)).parse("1-3,5")
        (1, 2, 3, 5)
        """
        if self.type in (int, float):
            try:
                return self.read(self.type(text))
            except ValueError as error:
                raise error if isinstance(error, InputError) else self._wrong(text) from None
        return self.read(text)

    def _split(self, text: str) -> tuple[Any, ...]:
        """Return the values of a text with commas between them; 1-3 are three whole numbers."""
        values: list[Any] = []
        try:
            for part in filter(None, map(str.strip, text.split(","))):
                first, dash, last = part.partition("-") if self.item is int else (part, "", "")
                found = range(int(first), int(last) + 1) if dash else [self.each.parse(part)]
                if not found or found[MOST:]:
                    raise self._wrong(part)
                values += found
        except ValueError:
            values = []
        if not values:
            raise self._wrong(text)
        return tuple(dict.fromkeys(values)) if self.item is int else tuple(values)

    def _read_one(self, value: Any) -> Any:
        return typed(dict[str, Any] if self.type is dict else self.type, value, self.name, self.range)

    def _wrong(self, value: Any) -> InputError:
        return WrongValue(self.name, self.expected, value)


def fields(record: type) -> dict[str, Field]:
    """Return the options of a dataclass by the names of its fields, inherited ones last."""
    hints = get_type_hints(record, include_extras=True)
    own = record.__annotations__
    ordered = sorted(dataclasses.fields(record), key=lambda field: field.name not in own)
    return {
        field.name: _field(field, *get_args(hints[field.name]))
        for field in ordered
        if get_origin(hints[field.name]) is Annotated
    }


def _field(field: dataclasses.Field[Any], hint: Any, *notes: str | Range | Flag) -> Field:
    text, *python = (note for note in notes if isinstance(note, str))
    limits = next((note for note in notes if isinstance(note, Range)), ANY)
    flag = next((note for note in notes if isinstance(note, Flag)), Flag())
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    known = [dict if get_origin(member) is dict else member for member in members if member is not type(None)]
    kind = known[0]  # the first one is what people can type
    if flag.many and kind is not dict and get_origin(kind) is not Sequence:
        kind = types.GenericAlias(tuple, (kind, ...))
    typed = [kind in WORDS or get_origin(kind) in (tuple, Sequence, Literal) for kind in known]
    factory = field.default_factory
    default = field.default if factory is dataclasses.MISSING else factory()
    default = ... if default is dataclasses.MISSING else default
    return Field(
        name=field.name,
        type=kind,
        text=text,
        python=" ".join(python),
        default=default,
        optional=type(None) in members,
        open=not all(typed),
        range=limits,
        flag=flag,
    )


def settle(record: Any) -> None:
    """Read every field of a new dataclass' instance, frozen or not, and put what was read in its place.

    Raises
    ------
    InputError
        If a field cannot hold its value.
    """
    for name, field in fields(type(record)).items():
        object.__setattr__(record, name, field.read(getattr(record, name)))


def described(record: type) -> str:
    """Return the options of a dataclass as the parameters of a docstring."""
    return "\n".join(f"{name}\n{_paragraph(field)}" for name, field in fields(record).items())


def _paragraph(field: Field) -> str:
    text = f"{field.text} {field.python}".strip()
    return textwrap.fill(text, 100, initial_indent="    ", subsequent_indent="    ")


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return from_toml(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"Expected a TOML file at {path}, but there is none: check the path.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"Expected a TOML file at {path}, but it cannot be read: {error}.") from error


def to_toml(values: Mapping[str, Any]) -> str:
    """Return values as the text of a TOML file, a line each; those that are None are left out.

    Examples
    --------
    >>> print(to_toml({"model": "enet", "limit": None, "crop": (64, 96), "options": {"generation": 2018}}))
    model = "enet"
    crop = [64, 96]
    options = {generation = 2018}
    <BLANKLINE>
    """
    return "".join(f"{name} = {_literal(value)}\n" for name, value in values.items() if value is not None)


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, Path):
        value = str(value)
    # TOML writes strings, numbers and truth values as JSON does, except for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
