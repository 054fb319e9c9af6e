"""`robseg evaluate --dry-run`: the grid, its cost, and the disk space it needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import click

import corruptions
from reports.run.record import CLEAN
from robseg.evaluation.executors import EXECUTORS
from robseg.evaluation.executors.local import one_thread
from robseg.evaluation.job import Job, prepare
from robseg.evaluation.parts import part_in
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.store import Store, estimate_bytes
from robseg.evaluation.worker import predictions
from robseg.pipeline import folder_of, shards_left

__all__ = ["show"]

T = TypeVar("T")


def show(request: Request) -> None:
    """Write what a run would do to stdout. Its cost is measured on the first image.

    Raises
    ------
    InputError
        If the request is wrong, or the folder holds counts of another run.
    """
    EXECUTORS[request.executor]  # as in a run: an unknown name stops it before anything is loaded
    job = prepare(request)
    store = Store(folder_of(request, job))
    shards = shards_left(job, store.done(job.context, job.tallies), part_in(request.part))
    images, models = len(job.dataset), len(job.models)
    workers = max(request.num_workers, 1)
    predicted = len(job.conditions) * images * models
    left = sum(map(len, shards))
    megabytes = estimate_bytes(shards, job.tallies, job.dataset.num_classes) / 1e6
    click.echo(f"Models       {', '.join(job.models)}")
    click.echo(f"Data         {job.dataset.name}, {job.dataset.split}: {images} images")
    click.echo(f"Conditions   {len(job.conditions)} (clean, and corruptions at their severities)")
    click.echo(f"Predictions  {predicted}, of which {predicted - left} are on disk in {store.out}")
    click.echo(f"Disk         at most {megabytes:.1f} MB of counts")
    if shards:
        with one_thread():
            seconds = _cost(job, shards)
        click.echo(
            f"Time         about {seconds / 60:.1f} core minutes, measured on the first image: "
            f"{seconds / 60 / workers:.1f} minutes with {workers} workers"
        )


def _cost(job: Job, shards: list[Shard]) -> float:
    """Return the seconds that the shards would take on one core."""
    reading, sample = _timed(lambda: job.dataset.read(0))
    predicting = {
        names: _timed(lambda names=names: list(predictions(job, [sample], names, [])))[0]  # type: ignore[misc]
        for names in {shard.models for shard in shards}
    }
    corrupting = {
        condition: 0.0
        if condition.corruption == CLEAN
        else _timed(lambda c=condition: corruptions.corrupt(sample.image, c.corruption, c.severity))[0]  # type: ignore[misc]
        for condition in {shard.condition for shard in shards}
    }
    return reading * len(job.dataset) + sum(
        len(shard.indices) * (corrupting[shard.condition] + predicting[shard.models]) for shard in shards
    )


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    work()  # the first call loads machine code and fills caches
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result
