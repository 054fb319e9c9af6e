"""What a run has to compute: the shards of work that are not on disk yet."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from reports.run.record import Condition

__all__ = ["RowKey", "Shard", "missing_shards"]


class RowKey(NamedTuple):
    """What one row of counts is about."""

    tally: str
    model: str
    corruption: str
    severity: int
    image: str


@dataclasses.dataclass(frozen=True)
class Shard:
    """A piece of work that anyone may do, in any order, twice if need be: one condition on some images.

    Every model of the shard sees the same corrupted images; each prediction is counted by every tally.
    """

    condition: Condition
    indices: tuple[int, ...]
    images: tuple[str, ...]
    models: tuple[str, ...]
    tallies: tuple[str, ...]

    def content_key(self, tally: str, context: str) -> str:
        """Return the name of its counts by a tally: equal keys mean equal counts.

        `context` names everything else that counts depend on: data, seed, weights.
        """
        content = [context, tally, dataclasses.astuple(self.condition), self.images, self.models]
        return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()

    def rows(self, tally: str) -> list[RowKey]:
        """Return the rows of its counts by a tally, model by model and image by image."""
        corruption, severity = self.condition.corruption, self.condition.severity
        return [
            RowKey(tally, model, corruption, severity, image)
            for model in self.models
            for image in self.images
        ]

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
    """Yield the shards of a block; images that lack the same tallies of the same models go together."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for index in block:
        place = (condition.corruption, condition.severity, images[index])
        lacking: dict[tuple[str, ...], list[str]] = {}
        for model in models:
            missing = tuple(tally for tally in tallies if RowKey(tally, model, *place) not in done)
            lacking.setdefault(missing, []).append(model)
        for missing, names in lacking.items():
            if missing:
                alike.setdefault((tuple(names), missing), []).append(index)
    for (lacking_it, missing), indices in alike.items():
        yield Shard(condition, tuple(indices), tuple(images[i] for i in indices), lacking_it, missing)
