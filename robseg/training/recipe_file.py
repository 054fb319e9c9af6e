"""Recipes as TOML files: those that come with the package, and a user's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from robseg import options
from robseg.errors import unknown_name
from robseg.training.recipe import Recipe

__all__ = ["recipe_names", "recipe_path", "to_toml"]

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


def to_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML, without the fields that are None.

    Examples
    --------
    >>> print(to_toml(Recipe("enet", "streets")).splitlines()[0])
    model = "enet"
    """
    return options.to_toml(dataclasses.asdict(recipe))
