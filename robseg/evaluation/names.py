"""The names of the models of a run, which must differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from robseg.errors import InputError
from robseg.evaluation.resolve import ModelSource
from robseg.models import adapters

if TYPE_CHECKING:
    from robseg.models.model import Model

__all__ = ["named"]


def named(
    models: Sequence[Model], sources: Sequence[ModelSource | Model], names: Sequence[str]
) -> list[Model]:
    """Return models under the given names, or else under their own, told apart by the paths of their files.

    Raises
    ------
    InputError
        If there is not a name for each model, or a name is empty.
    """
    if names and len(names) != len(models):
        raise InputError(
            f"Expected one --name for each model, but got {len(names)} for {len(models)}: "
            "give them in the same order."
        )
    if not all(name.strip() for name in names):
        raise InputError("Expected --name to be a text, but got an empty one: name the model.")
    own = [model.name for model in models]
    files = [_file(source) for source in sources]
    chosen = list(names)
    for place, name in enumerate(own if not names else ()):
        same = [file for other, file in zip(own, files, strict=True) if other == name]
        end = _end(files[place], same)
        chosen.append(f"{_without_stem(name, files[place])}:{end}" if end else name)
    return [
        model
        if model.name == name
        else dataclasses.replace(model, card=dataclasses.replace(model.card, id=name))
        for model, name in zip(models, chosen, strict=True)
    ]


def _file(source: ModelSource | Model) -> Path | None:
    """Return the absolute path of the file or folder that a model comes from, if it comes from one."""
    if not isinstance(source, ModelSource):
        return None
    found = adapters.adapter_of(source.spec) if isinstance(source.spec, str) else None
    path = source.weights or (Path(found[1]) if found else None)
    return path.absolute() if path is not None and path.exists() else None


def _end(file: Path | None, others: Sequence[Path | None]) -> str:
    """Return the shortest end of a path that no other has, "" if there is none or it is not needed.

    The file's ending is a part of it only if it is needed.

    Examples
    --------
    >>> paths = [Path("/a/1/best.pth"), Path("/a/2/best.pth")]
    >>> [_end(path, paths) for path in paths]
    ['1/best', '2/best']
    """
    if file is None or len(others) < 2 or None in others:
        return ""
    for count in range(1, len(file.parts)):
        for ending in ("", file.suffix):
            end = (*file.parts[-count:-1], file.stem + ending)
            paths = [other if ending else other.with_suffix("") for other in others if other is not None]
            if sum(path.parts[-count:] == end for path in paths) == 1:
                return "/".join(end)
    return ""


def _without_stem(name: str, file: Path | None) -> str:
    """Return a name such as enet:best without the name of the file."""
    kind, colon, last = name.rpartition(":")
    return kind if colon and file is not None and last in (file.stem, file.name) else name
