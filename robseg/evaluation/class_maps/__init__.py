"""Class maps: which classes a model's outputs and a data set's targets count as.

A class map is a TOML file. Those in this folder are known by their names. Names that a map does not mention
stand for themselves.

    source = "why"              # may be left out

    [outputs]                   # outputs of models: the class that each counts as
    sidewalk = "pavement"

    [targets]                   # classes of the data set: the class that each counts as
    truck = "vehicle"

    [classes]                   # both
    car = "vehicle"

    ignore = ["fence"]          # classes of the data set that are not scored (before the tables)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.run.typed import typed_fields
from robseg.datasets.base import IGNORE_INDEX, Dataset, Sample
from robseg.errors import InputError, unknown_name
from robseg.evaluation.classes import spelling
from robseg.options import read_toml

__all__ = ["ClassMap", "read_class_map", "shipped"]


@dataclasses.dataclass(frozen=True)
class ClassMap:
    """What names of outputs and of targets count as, and which classes of targets are not scored."""

    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    targets: dict[str, str] = dataclasses.field(default_factory=dict)
    classes: dict[str, str] = dataclasses.field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    source: str = ""

    @property
    def stated(self) -> dict[str, Any]:
        """The keys that the map's file has."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value}

    def channels(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the class that each output of a model counts as."""
        return tuple(_found(self.classes | self.outputs, name) for name in names)

    def applied(self, dataset: Dataset, channels: Iterable[str]) -> Dataset:
        """Return a data set with the classes that its targets count as; `channels` are all models' outputs.

        Raises
        ------
        InputError
            If the map names a class that neither the data set nor a model has, or leaves no class.
        """
        own, outputs = dict.fromkeys(dataset.class_names), dict.fromkeys(channels)
        _check([*self.targets, *self.ignore], own, f"class of {dataset.name}")
        _check(self.outputs, outputs, "output of a model")
        _check(self.classes, own | outputs, "class")
        targets = self.classes | self.targets
        # Where several classes become one, the first gives the colour.
        ignored = set(map(spelling, self.ignore))
        if twice := [name for name in self.targets if spelling(name) in ignored]:
            raise InputError(
                f"Expected the class map to score or ignore '{twice[0]}', but it does both: choose one."
            )
        scored = {
            index: _found(targets, name) for index, name in enumerate(own) if spelling(name) not in ignored
        }
        names = tuple(dict.fromkeys(scored.values()))
        if not names:
            raise InputError("Expected the class map to leave a class, but it ignores all: score some.")
        _check(self.outputs.values(), names, "class that an output counts as")
        first = {name: index for index, name in reversed(scored.items())}
        table = np.full(256, IGNORE_INDEX, np.uint8)
        for index, name in scored.items():
            table[index] = names.index(name)
        content = json.dumps([dataset.fingerprint, dataclasses.astuple(dataclasses.replace(self, source=""))])
        return dataclasses.replace(
            dataset,
            class_names=names,
            palette=tuple(dataset.palette[first[name]] for name in names),
            read=_Mapped(dataset.read, table),
            fingerprint=hashlib.blake2b(content.encode(), digest_size=16).hexdigest(),
        )


def _found(table: Mapping[str, str], name: str) -> str:
    """Return what a name counts as: by its exact name, else by the one that is spelled alike, else itself."""
    alike = [key for key in table if spelling(key) == spelling(name)]
    return table[name] if name in table else table[alike[0]] if len(alike) == 1 else name


def _check(names: Iterable[str], known: Iterable[str], kind: str) -> None:
    spelled = set(map(spelling, known))
    for name in names:
        if spelling(name) not in spelled:
            raise unknown_name(f"{kind} in the class map", name, known)


@dataclasses.dataclass(frozen=True)
class _Mapped:
    """Read a sample whose target has other class ids; this can be pickled if `read` can."""

    read: Callable[[int], Sample]
    table: NDArray[np.uint8]

    def __call__(self, index: int) -> Sample:
        sample = self.read(index)
        return sample._replace(target=self.table[sample.target])


def read_class_map(file: Path | str) -> ClassMap:
    """Read the class map in a file, or one of this folder by its name.

    Raises
    ------
    InputError
        If there is no such map, or it cannot be read.
    """
    path = Path(file)
    if path.suffix != ".toml":
        maps = shipped()
        if str(file) not in maps:
            raise unknown_name("class map (or write FILE.toml)", str(file), maps)
        path = maps[str(file)]
    try:
        found = ClassMap(**typed_fields(ClassMap, read_toml(path)))
    except InputError as error:
        raise InputError(f"In the class map {path}: {error}") from error
    if not found.stated.keys() - {"source"}:
        raise InputError(f"Expected the class map {path} to map or ignore a class, but it is empty: fill it.")
    return found


def shipped() -> dict[str, Path]:
    """Return the files of the maps that come with robseg, by name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}
