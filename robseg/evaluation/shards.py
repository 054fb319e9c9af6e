"""The work that a run still has to do: the shards whose counts are not on disk yet."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from reports.run.parts import block_size
from reports.run.record import Condition

__all__ = ["RowKey", "Shard", "missing_shards"]


class RowKey(NamedTuple):
    """The key of one row of counts."""

    tally: str
    model: str
    corruption: str
    severity: int
    image: str


@dataclasses.dataclass(frozen=True)
class Shard:
    """One condition on some images: a unit of work that any worker may do, in any order, even twice.

    All models of the shard see the same corrupted images, and all its tallies count each prediction.
    """

    condition: Condition
    indices: tuple[int, ...]
    images: tuple[str, ...]
    models: tuple[str, ...]
    tallies: tuple[str, ...]

    def content_key(self, tally: str, context: str) -> str:
        """Return a key for the shard's counts by a tally; equal keys mean equal counts.

        `context` names everything else that the counts depend on, such as data, seed and weights.
        """
        content = [context, tally, dataclasses.astuple(self.condition), self.images, self.models]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()

    def rows(self, tally: str) -> list[RowKey]:
        """Return the keys of the shard's rows by a tally, model by model and image by image."""
        return [self.row(tally, model, image) for model in self.models for image in self.images]

    def row(self, tally: str, model: str, image: str) -> RowKey:
        """Return the key of one of its rows."""
        return RowKey(tally, model, self.condition.corruption, self.condition.severity, image)

    def __len__(self) -> int:
        return len(self.indices) * len(self.models)


def missing_shards(
    conditions: Sequence[Condition],
    images: Sequence[str],
    models: Sequence[str],
    tallies: Sequence[str],
    done: Collection[RowKey],
) -> list[Shard]:
    """Return the shards of the rows that are not done yet.

    The clean condition comes first, over all images, so that a damaged file is found early. The others come
    block by block, so that a worker still holds the images of a block when the next condition comes. In each
    block they come severity by severity, so that workers start on different corruptions, whose kernels are
    compiled at their first use.
    """
    size = block_size(len(images))
    blocks = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
    passes = (conditions[:1], sorted(conditions[1:], key=lambda condition: condition.severity))
    return [
        shard
        for one_pass in passes
        for block in blocks
        for condition in one_pass
        for shard in _missing(condition, block, images, models, tallies, done)
    ]


def _missing(
    condition: Condition,
    block: range,
    images: Sequence[str],
    models: Sequence[str],
    tallies: Sequence[str],
    done: Collection[RowKey],
) -> Iterator[Shard]:
    """Yield the shards of a block; images that lack the same tallies of the same models share a shard."""
    lacks: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for index in block:
        place = (condition.corruption, condition.severity, images[index])
        lacking: dict[tuple[str, ...], list[str]] = {}
        for model in models:
            missing = tuple(tally for tally in tallies if RowKey(tally, model, *place) not in done)
            lacking.setdefault(missing, []).append(model)
        for missing, names in lacking.items():
            if missing:
                lacks.setdefault((tuple(names), missing), []).append(index)
    for (without, missing), indices in lacks.items():
        yield Shard(condition, tuple(indices), tuple(images[i] for i in indices), without, missing)
