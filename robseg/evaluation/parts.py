"""One of several calls that share the work of a run, such as those of a job array."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from reports.run.parts import part_of, ranges
from reports.run.record import RunRecord
from robseg.errors import InputError
from robseg.evaluation.job import Job
from robseg.evaluation.shards import RowKey, Shard

__all__ = ["Part", "part_in", "refuse_other_request", "what_is_left"]


class Part(NamedTuple):
    """A part of a run; `number` counts from 1."""

    number: int
    total: int

    def among(self, shards: Sequence[Shard], job: Job) -> list[Shard]:
        """Return the shards that this part does."""
        return [shard for shard in shards if _number(shard, job, self.total) == self.number]


def part_in(text: str | None) -> Part | None:
    """Return the part that I/N names, or None for the whole.

    Raises
    ------
    InputError
        If the text is not I/N with I from 1 to N.

    Examples
    --------
    >>> part_in("3/16")
    Part(number=3, total=16)
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})\s*", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(
            f"Expected --part I/N, such as 3/16, with I from 1 to N, but got '{text}': name one of N parts; "
            "in a job array, check the variables of the scheduler."
        )
    return Part(int(found[1]), int(found[2]))


def what_is_left(part: Part, left: Sequence[Shard], job: Job) -> str:
    """Say which other parts have work left."""
    others = {_number(shard, job, part.total) for shard in left}
    return f"Part {part.number} of {part.total} is done. These have work left: {ranges(others)}."


def refuse_other_request(
    earlier: RunRecord | None, now: RunRecord, rows: Collection[RowKey], out: Path
) -> None:
    """Raise InputError if parts of another request share a folder and are not all done.

    `rows` are the keys of the counts on disk. A run that is complete may be continued by parts of a request
    for more.
    """
    if earlier is None or not earlier.parts or not now.parts:
        return
    before, after = _asked(earlier), _asked(now)
    other = [what for what in after if after[what] != before[what]]
    if other and not all(row in rows for row in _rows(earlier)):
        raise InputError(
            f"Expected all parts in {out} to evaluate the same, but this one has other {' and '.join(other)} "
            "than those before, whose run is not complete: give all parts the same options, or choose "
            "another --out."
        )


def _number(shard: Shard, job: Job, count: int) -> int:
    return part_of(job.conditions.index(shard.condition), shard.indices[0], len(job.dataset), count)


def _asked(record: RunRecord) -> dict[str, object]:
    return {
        "models": [model.name for model in record.models],
        "conditions": record.conditions,
        "images": record.images,
        "tallies": record.tallies,
    }


def _rows(record: RunRecord) -> list[RowKey]:
    return [
        RowKey(tally, model.name, condition.corruption, condition.severity, image)
        for tally in record.tallies
        for model in record.models
        for condition in record.conditions
        for image in record.images
    ]
