"""Flags from the fields of a dataclass, and what every command has: a run file, --print-config, -q and -v."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from robseg.cli import verbosity
from robseg.cli.completion import matching
from robseg.errors import InputError, unknown_name
from robseg.options import Field, read_toml, to_toml

__all__ = ["Command", "Option", "made"]

T = TypeVar("T")

METAVARS = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}
NUMBERS = {click.types.IntParamType: int, click.types.FloatParamType: float}
PRINT_CONFIG = f"{__name__}.print_config"
SOURCES = {
    ParameterSource.COMMANDLINE: "command line",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "run file",
}


def made(record: type[T], values: Mapping[str, Any]) -> T:
    """Return the dataclass' instance with a command's values; those that are None were not given."""
    return record(**{name: value for name, value in values.items() if value is not None})


class Option(click.Option):
    """The flag of a dataclass' field."""

    def __init__(self, field: Field) -> None:
        flag, long = field.flag, f"--{field.key}"
        self.field = dataclasses.replace(field, name=long)  # errors name what was typed
        single = field.item is not None and (field.length or not flag.commas)
        default: dict[str, Any] = {"default": None if flag.unset or field.type is dict else field.default}
        super().__init__(
            [
                *([f"-{flag.short}"] if flag.short else []),
                f"{long}/--{flag.off or f'no-{field.key}'}" if field.type is bool else long,
                field.name,
            ],
            type=bool if field.type is bool else _Value(self.field.each if single else self.field),
            nargs=field.length or 1,
            multiple=flag.many,
            required=field.required,
            **({} if field.required else default),
            metavar=flag.metavar or _metavar(field),
            help=f"{field.text}{' May be repeated.' if flag.many else ''}{_default(field)}",
        )

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return the value and its source; a table has the entries of the run file too."""
        value, source = super().consume_value(ctx, opts)
        if self.field.type is dict:
            written = ctx.lookup_default(self.name or "") or {}
            given = value if source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT) else ()
            value = [*written.items(), *given]
        return value, source

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the field's value: a repeated option makes one list or table."""
        found = super().type_cast_value(ctx, value)
        if self.field.type is dict:
            return self.field.read(dict(found))
        if self.multiple and self.field.flag.commas:
            return tuple(one for part in found for one in ((part,) if isinstance(part, str) else part))
        return found


class _Value(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """What is typed for a field."""

    name = "value"

    def __init__(self, field: Field) -> None:
        self.field = field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what a text stands for; anything else is a value already."""
        if not isinstance(value, str):
            return value
        return _entry(self.field, value) if self.field.type is dict else self.field.parse(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the choices or names that go on as typed, or have the shell complete a path."""
        if self.field.flag.names:
            return matching(self.field.flag.names, incomplete, commas=self.field.flag.commas)
        if self.field.choices:
            return [CompletionItem(name) for name in self.field.choices if name.startswith(incomplete)]
        is_path = Path in (self.field.type, self.field.item) or "PATH" in self.field.flag.metavar
        return [CompletionItem(incomplete, type="file")] if is_path else []


def _entry(field: Field, text: str) -> tuple[str, Any]:
    """Return the name and value of `output_stride=16` or `backbone=efficientnet_lite0`.

    Examples
    --------
    >>> _entry(Field("--option", dict), "output_stride=16"), _entry(Field("--option", dict), "gated=false")
    (('output_stride', 16), ('gated', False))
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"Expected `{field.name}` as NAME=VALUE, but got '{text}'.")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, {"true": True, "false": False}.get(value, value)


def _metavar(field: Field) -> str | None:
    if field.type is bool:
        return None
    if field.choices:
        return f"[{'|'.join(field.choices)}]"
    one = METAVARS[field.item or field.type]
    return one if field.item is None else " ".join([one] * field.length) if field.length else f"{one},..."


def _default(field: Field) -> str:
    """Return a field's default as it would be typed: (320, 320) as two words, severities with commas."""
    if field.flag.unset:
        return f"  [default: {field.flag.unset}]"
    if field.type is bool:
        return f"  [default: {'on' if field.default else 'off'}]"
    if field.required or field.default in (None, ()) or field.type is dict:
        return ""
    values = field.default if field.item else (field.default,)
    return f"  [default: {(' ' if field.length else ',').join(map(str, values))}]"


class _Word(str):
    """A word of a command line. It is an object of its own, so that it differs from an equal word by `is`."""


class Command(click.Command):
    """A command whose options can also stand in a run file or in the environment.

    `fields` become options of the command. `run_file` returns the file that a first argument names, or None;
    `run_names` is the kind of names that it knows.
    """

    def __init__(
        self,
        *args: Any,
        fields: Iterable[Field] = (),
        run_file: Callable[[str], Path | None] | None = None,
        run_names: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"options_metavar": "[OPTIONS] [FILE.toml]", **kwargs})
        self.params = [*(Option(field) for field in fields if field.flag.shell), *self.params, *_common()]
        self._run_file = run_file or _toml
        self._run_names = run_names

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse a command line; what it lacks comes from the environment, then from the run file."""
        for param in self.params:
            if isinstance(param, click.Option):
                name = f"{ctx.auto_envvar_prefix}_{_key(param)}".replace("-", "_").upper()
                param.envvar, param.allow_from_autoenv = name if ctx.auto_envvar_prefix else None, False
        words = [_Word(text) for text in args]
        first = None if ctx.resilient_parsing else self._first_argument(ctx, words)
        path = None if first is None else self._run_file(first)
        if path is not None:
            args = [text for word, text in zip(words, args, strict=True) if word is not first]
            ctx.default_map = self._read(ctx, path)
        rest = super().parse_args(ctx, args)
        for param in self.params:
            if isinstance(param.type, tuple(NUMBERS)) and ctx.params.get(param.name or "") is not None:
                _field(param).read(ctx.params[param.name or ""])  # click lets NaN and infinity pass
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, or print its options."""
        known = {_key(param): param for param in self.params if param.expose_value}
        values = {key: ctx.params[param.name or ""] for key, param in known.items()}
        if ctx.meta.get(PRINT_CONFIG):
            click.echo(
                to_toml({key: value for key, value in values.items() if value not in ((), {})}), nl=False
            )
            return None
        for key, param in known.items():
            source = ctx.get_parameter_source(param.name or "")
            if source in SOURCES:
                verbosity.notes.debug("%s = %r (%s)", key, values[key], SOURCES[source])
        return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the flags that go on as typed, or have the shell complete a run file."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        names = matching(self._run_names, incomplete) if self._run_names else []
        return [*names, CompletionItem(incomplete, type="file")]

    def _first_argument(self, ctx: click.Context, words: Sequence[_Word]) -> str | None:
        """Return the one of the words that is the first argument and not an option or its value."""
        values, rest, _ = self.make_parser(ctx).parse_args(list(words))
        for param in self.params:
            if isinstance(param, click.Argument):
                value = values.get(param.name)
                found = value if isinstance(value, tuple | list) else (value,)
                rest = [*(text for text in found if isinstance(text, str)), *rest]
                break
        return rest[0] if rest else None

    def _read(self, ctx: click.Context, path: Path) -> dict[str, Any]:
        """Return the values in a run file by the names of parameters, checked."""
        known = {_key(param): param for param in self.params if param.expose_value}
        own = {param.name: param for param in known.values() if isinstance(param, Option)}
        values = {}
        for key, value in read_toml(path).items():
            param = known.get(key.replace("_", "-")) or own.get(key)  # Python's name
            try:
                if param is None:
                    raise unknown_name(f"option of {ctx.command_path}", key, known)
                values[param.name or ""] = _field(param).read(value)
            except InputError as error:
                raise InputError(f"In {path}: {error}") from None
        return values


def _toml(argument: str) -> Path | None:
    return Path(argument) if argument.endswith(".toml") else None


def _key(param: click.Parameter) -> str:
    """Return the long name of an option, or the name of an argument."""
    if isinstance(param, click.Argument):
        return (param.name or "").replace("_", "-")
    return max(param.opts, key=len).lstrip("-")


def _field(param: click.Parameter) -> Field:
    """Return what a parameter may hold, as a field."""
    if isinstance(param, Option):
        return param.field
    kinds = {**NUMBERS, click.Path: Path}
    kind: Any = next((kind for known, kind in kinds.items() if isinstance(param.type, known)), str)
    if isinstance(param.type, click.types.BoolParamType):
        kind = bool
    if isinstance(param.type, click.Choice):
        kind = Literal[tuple(param.type.choices)]
    if param.nargs > 1:
        kind = types.GenericAlias(tuple, (kind,) * param.nargs)
    several = param.multiple or param.nargs == -1
    return Field(f"--{_key(param)}", tuple[kind, ...] if several else kind)


def _common() -> list[click.Option]:
    """Return the options that every command has."""
    return [
        _switch(
            ["--print-config"],
            "Print the options of this call as a run file, and stop.",
            lambda ctx: ctx.meta.update({PRINT_CONFIG: True}),
        ),
        _switch(["-q", "--quiet"], "Show neither progress nor notes.", lambda _: verbosity.hush()),
        _switch(
            ["-v", "--verbose"],
            "Show details, and the traceback of an error.",
            lambda _: verbosity.speak_up(),
        ),
    ]


def _switch(flags: list[str], text: str, then: Callable[[click.Context], object]) -> click.Option:
    return click.Option(
        flags,
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda ctx, _, given: then(ctx) if given else None,
        help=text,
    )
