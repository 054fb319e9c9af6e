"""What a shell completes: names of models, corruptions and the like; without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

__all__ = ["RUN", "Names", "matching"]


def _models() -> Iterable[str]:
    from robseg.models.adapters import ADAPTERS
    from robseg.models.catalogue import CARDS

    return ["all", *_architectures(), *CARDS, *(f"{prefix}:" for prefix in ADAPTERS)]


def _architectures() -> Iterable[str]:
    from robseg.models.catalogue import ARCHITECTURES

    return ARCHITECTURES


def _cards() -> Iterable[str]:
    from robseg.models.catalogue import CARDS

    return CARDS


def _datasets() -> Iterable[str]:
    from robseg.datasets import DATASETS

    return DATASETS


def _corruptions() -> Iterable[str]:
    import corruptions

    return [*corruptions.GROUPS, *corruptions.SUBSETS, *corruptions.names("all"), "none"]


def _protocols() -> Iterable[str]:
    from reports.scoring.protocols import PROTOCOLS

    return PROTOCOLS


def _class_maps() -> Iterable[str]:
    from robseg.evaluation.class_maps import shipped

    return shipped()


def _tallies() -> Iterable[str]:
    from reports import tallies

    return tallies.examples()


def _executors() -> Iterable[str]:
    from robseg.evaluation.executors import EXECUTORS

    return EXECUTORS


def _targets() -> Iterable[str]:
    from robseg.models.export.targets import TARGETS

    return TARGETS


def _recipes() -> Iterable[str]:
    from robseg.training.recipe_file import recipe_names

    return recipe_names()


KINDS: dict[str, Callable[[], Iterable[str]]] = {
    "models": _models,
    "architectures": _architectures,
    "cards": _cards,
    "datasets": _datasets,
    "corruptions": _corruptions,
    "protocols": _protocols,
    "class-maps": _class_maps,
    "tallies": _tallies,
    "executors": _executors,
    "recipes": _recipes,
    "targets": _targets,
}


def matching(kind: str, incomplete: str, *, commas: bool = False) -> list[CompletionItem]:
    """Return the names that go on as typed; with `commas`, those for the last one of a list."""
    before, comma, last = incomplete.rpartition(",") if commas else ("", "", incomplete)
    known = dict.fromkeys(KINDS[kind]())
    return [CompletionItem(before + comma + name) for name in known if name.startswith(last)]


class Names(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """Text for which a shell completes names of some kind. Any other text is accepted too."""

    name = "text"

    def __init__(self, kind: str, *, commas: bool = False) -> None:
        self.kind = kind
        self.commas = commas

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that go on as typed."""
        return matching(self.kind, incomplete, commas=self.commas)


RUN = click.Path(path_type=str)  # RUN or RUN:MODEL: the shell completes its folder
