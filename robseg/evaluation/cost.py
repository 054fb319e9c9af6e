"""What a run will cost, measured on the first images of its data set."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

from reports.run.record import CLEAN
from robseg.evaluation.conditions import CLEAN_CONDITION
from robseg.evaluation.job import Job
from robseg.evaluation.reading import corrupt_sample
from robseg.evaluation.shards import Shard
from robseg.evaluation.timed import PREDICT
from robseg.evaluation.worker import Counted, Worker

__all__ = ["Cost", "cost_of"]


@dataclasses.dataclass(frozen=True)
class Cost:
    """The seconds that shards take: `predicting` with the models on their device, `beside` on one core.

    `longest` is the time of the longest shard, below which no number of workers gets, and `threads` is the
    number of threads in each worker that work ahead of the models.
    """

    predicting: float
    beside: float
    longest: float
    threads: int

    def wall(self, workers: int) -> float:
        """Return the seconds that so many workers take, each with a core or a GPU of its own.

        Examples
        --------
        >>> [Cost(predicting=90, beside=10, longest=2, threads=0).wall(workers) for workers in (1, 10, 100)]
        [100.0, 10.0, 2]
        >>> Cost(predicting=90, beside=200, longest=2, threads=4).wall(1)
        90.0
        """
        one = (
            max(self.predicting, self.beside / self.threads)
            if self.threads
            else self.predicting + self.beside
        )
        return max(one / workers, self.longest)


def cost_of(job: Job, shards: Sequence[Shard]) -> Cost:
    """Measure what shards take in one thread: each corruption on an image, and each model on a batch."""
    kinds = {(shard.models, shard.tallies): shard for shard in shards}
    clean = {kind: _stages(job, shard) for kind, shard in kinds.items()}
    sample = job.dataset.read(0)
    seed, move_targets = job.context.seed, job.context.move_targets
    corrupting = {CLEAN_CONDITION: 0.0}
    for condition in {shard.condition for shard in shards if shard.condition.corruption != CLEAN}:
        for _ in range(2):  # the first time loads machine code
            start = time.perf_counter()
            corrupt_sample(sample, condition, seed=seed, move_targets=move_targets)
            corrupting[condition] = time.perf_counter() - start
    predicting = beside = longest = 0.0
    for shard in shards:
        stages, images = clean[shard.models, shard.tallies], len(shard.indices)
        on_device = images * _sum(stages, PREDICT)
        on_core = images * (_sum(stages, "count:") + corrupting[shard.condition])
        predicting += on_device
        beside += on_core
        longest = max(longest, on_device + on_core)
    # A worker reads the images of a block once, and keeps them for all conditions.
    every = {index for shard in shards for index in shard.indices}
    beside += len(every) * max(stages["read"] for stages in clean.values())
    return Cost(predicting, beside, longest, job.prefetch_threads)


def _sum(stages: Mapping[str, float], prefix: str) -> float:
    return sum(seconds for stage, seconds in stages.items() if stage.startswith(prefix))


def _stages(job: Job, like: Shard) -> dict[str, float]:
    """Return the seconds of each stage for a clean image, as a worker measures them."""
    number = min(job.batch_size, len(job.dataset))
    images = job.dataset.ids[:number]
    shard = dataclasses.replace(like, condition=CLEAN_CONDITION, indices=tuple(range(number)), images=images)
    for _ in range(2):  # the first time loads machine code and fills caches
        (done,) = (news for news in Worker(job).run([shard]) if isinstance(news, Counted))
    return {stage: seconds / number for stage, seconds in done.seconds.items()}
