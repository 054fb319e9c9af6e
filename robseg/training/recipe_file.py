"""Recipes as TOML files: those that come with the package, and a user's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robseg import options
from robseg.errors import unknown_name
from robseg.training.recipe import Recipe

__all__ = ["RECIPES", "make_recipe", "read_fields", "recipe_names", "recipe_path", "to_toml"]

RECIPES = Path(__file__).parent / "recipes"


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package.

    Examples
    --------
    >>> "enet-streets" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def recipe_path(name_or_path: str) -> Path:
    """Return the file of a recipe of the package, given by its name, or of a user's, given by its path."""
    path = Path(name_or_path)
    if name_or_path in recipe_names():
        return RECIPES / f"{name_or_path}.toml"
    if path.suffix != ".toml" and not path.is_file():
        raise unknown_name("recipe", name_or_path, recipe_names())
    return path


def read_fields(name_or_path: str) -> dict[str, Any]:
    """Return the fields of a recipe, not yet checked."""
    return options.read_toml(recipe_path(name_or_path))


def make_recipe(fields: Mapping[str, Any]) -> Recipe:
    """Return the recipe of these fields; a wrong name, type or value raises InputError.

    Examples
    --------
    >>> make_recipe({"model": "enet", "dataset": "streets", "crop": [64, 96]}).crop
    (64, 96)
    >>> make_recipe({"model": "enet", "dataset": "streets", "epoch": 3})
    Traceback (most recent call last):
    reports.run.errors.InputError: Unknown field of a recipe 'epoch': did you mean 'epochs'? The known ...
    """
    return options.build(Recipe, fields, "field of a recipe")


def to_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML, without the fields that are None.

    Examples
    --------
    >>> print(to_toml(Recipe("enet", "streets")).splitlines()[0])
    model = "enet"
    """
    return options.to_toml(dataclasses.asdict(recipe))
