"""Recipes as TOML files, the package's and a user's own: found, read, checked field by field."""

from __future__ import annotations

import dataclasses
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from robseg.errors import InputError
from robseg.registry import unknown_name
from robseg.training.recipe import Recipe

__all__ = ["RECIPES", "Kind", "kinds", "make_recipe", "read_fields", "recipe_names", "to_toml"]

RECIPES = Path(__file__).parent / "recipes"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a recipe's field may hold: its type without `| None`, its line of help, its default."""

    type: Any
    text: str
    default: Any

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a Literal, else none."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def item(self) -> Any:
        """The type of a tuple's items, else None."""
        return get_args(self.type)[0] if get_origin(self.type) is tuple else None

    @property
    def length(self) -> int | None:
        """The length of a tuple of fixed length, else None."""
        arguments = get_args(self.type)
        return None if self.item is None or Ellipsis in arguments else len(arguments)


def kinds() -> dict[str, Kind]:
    """Return the kind of each of a recipe's fields."""
    hints = get_type_hints(Recipe, include_extras=True)
    found = {}
    for field in dataclasses.fields(Recipe):
        hint, text = get_args(hints[field.name]) if get_origin(hints[field.name]) is Annotated else (None, "")
        if get_origin(hint) in (Union, types.UnionType):
            hint = next(part for part in get_args(hint) if part is not type(None))
        found[field.name] = Kind(hint, text, field.default)
    return found


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package.

    Examples
    --------
    >>> "enet-streets" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def read_fields(name_or_path: str) -> dict[str, Any]:
    """Return the fields in a recipe of the package, by its name, or in a TOML file, by its path."""
    named = RECIPES / f"{name_or_path}.toml"
    path = named if name_or_path in recipe_names() else Path(name_or_path)
    if not path.is_file():
        if path.suffix == ".toml":
            raise InputError(f"Expected a recipe at {path}, but there is no such file: check the path.")
        raise unknown_name("recipe", name_or_path, recipe_names())
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(
            f"Expected a recipe in TOML in {path}, but it cannot be read ({error}): mend it."
        ) from error


def make_recipe(fields: Mapping[str, Any]) -> Recipe:
    """Return the recipe of these fields; a wrong name, type or value raises InputError.

    Examples
    --------
    >>> make_recipe({"model": "enet", "dataset": "streets", "crop": [64, 96]}).crop
    (64, 96)
    >>> make_recipe({"model": "enet", "dataset": "streets", "epoch": 3})
    Traceback (most recent call last):
    robseg.errors.InputError: Unknown field of a recipe 'epoch': did you mean 'epochs'? Known are model, ...
    """
    known = kinds()
    for name in fields:
        if name not in known:
            raise unknown_name("field of a recipe", name, known)
    for name in ("model", "dataset"):
        if name not in fields:
            raise InputError(f"Expected a recipe with `{name}`, but it has none: give --{name}.")
    return Recipe(**{name: _checked(name, known[name], value) for name, value in fields.items()})


def to_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML, without the fields that are None.

    Examples
    --------
    >>> recipe = Recipe("enet", "streets", options={"generation": 2018})
    >>> make_recipe(tomllib.loads(to_toml(recipe))) == recipe
    True
    """
    fields = dataclasses.asdict(recipe)
    lines = [f"{name} = {_literal(value)}" for name, value in fields.items() if value is not None]
    return "\n".join(lines) + "\n"


def _checked(name: str, kind: Kind, value: Any) -> Any:
    if value is None and kind.default is None:
        return None
    if kind.item is None:
        return _scalar(name, kind.type, value)
    if not isinstance(value, list | tuple) or len(value) != (kind.length or len(value)):
        wanted = f"{kind.length or 'some'} {kind.item.__name__} values"
        raise InputError(f"Expected `{name}` to be {wanted} in brackets, but got {value!r}.")
    return tuple(_scalar(name, kind.item, item) for item in value)


def _scalar(name: str, wanted: Any, value: Any) -> Any:
    if get_origin(wanted) is Literal:
        return value  # Recipe checks it
    wanted = get_origin(wanted) or wanted
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is dict and isinstance(value, dict):
        return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
    if type(value) is not wanted:
        raise InputError(f"Expected `{name}` to be {wanted.__name__}, but got {value!r}: correct it.")
    return value


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_literal(item)}" for key, item in value.items()) + "}"
    return repr(value)
