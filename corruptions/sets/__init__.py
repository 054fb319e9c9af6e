"""The corruption sets: every module or package of this folder declares one as `SET`."""

from importlib import import_module
from pkgutil import iter_modules

from corruptions.registry import register

__all__ = ["register_all"]


def register_all() -> None:
    """Register the sets of this folder, in the order of their modules' names."""
    for name in sorted(module.name for module in iter_modules(__path__)):
        register(import_module(f"{__name__}.{name}").SET)
