"""What a run has to compute: conditions, and the shards that are not on disk yet."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import corruptions
from reports.run.record import CLEAN, WHOLE, Condition, folder_of
from robseg.errors import InputError

__all__ = ["CLEAN_CONDITION", "Cell", "Shard", "grid", "parse_corruptions", "plan"]

CLEAN_CONDITION = Condition(CLEAN, 0, CLEAN)
SEVERITIES = (1, 2, 3, 4, 5)


class Cell(NamedTuple):
    """What one row of counts is about."""

    model: str
    corruption: str
    severity: int
    image: str
    region: str = WHOLE


@dataclasses.dataclass(frozen=True)
class Shard:
    """A piece of work that anyone may do, in any order, twice if need be: one condition on some images.

    Every model of the shard sees the same corrupted images. `regions` are the parts of an image that are
    counted (`reports.run.record`).
    """

    condition: Condition
    indices: tuple[int, ...]
    images: tuple[str, ...]
    models: tuple[str, ...]
    regions: tuple[str, ...] = (WHOLE,)

    def key(self, context: str) -> str:
        """Return the content key: equal keys mean equal counts. `context` names data, seed, weights."""
        content = [context, dataclasses.astuple(self.condition), self.images, self.models]
        content += [region for region in self.regions if region != WHOLE]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()

    def part(self, folder: str) -> Shard:
        """Return the shard with those of its regions only whose counts go to `folder`."""
        mine = tuple(region for region in self.regions if folder_of(region) == folder)
        return dataclasses.replace(self, regions=mine)

    def __len__(self) -> int:
        return len(self.indices) * len(self.models)


def parse_corruptions(text: str) -> tuple[str, ...]:
    """Return the corruptions named by a comma list of names, groups and subsets, each once ("none": none).

    Raises
    ------
    InputError
        If a name is neither a corruption, a group nor a subset.

    Examples
    --------
    >>> parse_corruptions("fog,snow,fog")
    ('fog', 'snow')
    """
    names: dict[str, None] = {}
    for part in (part.strip() for part in text.split(",")):
        try:
            names.update(dict.fromkeys(corruptions.names(part)))
        except ValueError as error:
            raise InputError(str(error)) from error
    return tuple(names)


def grid(cells: Iterable[tuple[str, int]]) -> tuple[Condition, ...]:
    """Return the clean condition followed by one condition for each (corruption, severity).

    Raises
    ------
    InputError
        If a corruption is unknown, or a severity is not 1..5.
    """
    conditions = [CLEAN_CONDITION]
    for name, severity in cells:
        if severity not in SEVERITIES:
            raise InputError(f"Expected severities from 1 to 5, but got {severity}.")
        try:
            conditions.append(Condition(name, severity, corruptions.get(name).group))
        except ValueError as error:
            raise InputError(str(error)) from error
    return tuple(conditions)


def plan(
    conditions: Sequence[Condition],
    images: Sequence[str],
    models: Sequence[str],
    done: Collection[Cell],
    regions: Sequence[str] = (WHOLE,),
) -> list[Shard]:
    """Return the shards of the cells that are not done yet.

    The clean condition comes first, over all images, so that a broken file shows early. After it block by
    block, so that a worker still holds a block's images when the next condition comes; and severity by
    severity, so that workers start on different corruptions, whose kernels are compiled at their first use.
    """
    size = max(8, len(images) // 32)
    blocks = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
    passes = (conditions[:1], sorted(conditions[1:], key=lambda condition: condition.severity))
    return [
        shard
        for one_pass in passes
        for block in blocks
        for shard in _missing(one_pass, block, images, models, done, regions)
    ]


def _missing(
    conditions: Sequence[Condition],
    block: range,
    images: Sequence[str],
    models: Sequence[str],
    done: Collection[Cell],
    regions: Sequence[str],
) -> Iterator[Shard]:
    """Yield the shards of one block; images that lack the same regions of the same models go together."""
    for condition in conditions:
        alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
        for index in block:
            cell = (condition.corruption, condition.severity, images[index])
            lacking: dict[tuple[str, ...], list[str]] = {}
            for model in models:
                parts = tuple(region for region in regions if Cell(model, *cell, region) not in done)
                lacking.setdefault(parts, []).append(model)
            for parts, names in lacking.items():
                if parts:
                    alike.setdefault((tuple(names), parts), []).append(index)
        for (names_of, parts), indices in alike.items():
            yield Shard(condition, tuple(indices), tuple(images[i] for i in indices), names_of, parts)
