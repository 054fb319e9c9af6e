"""`robseg evaluate --dry-run`: the grid, its cost, and the disk space it needs."""

from __future__ import annotations

from collections.abc import Iterator

import click

from robseg.evaluation.cost import Cost, cost_of
from robseg.evaluation.executors import EXECUTORS
from robseg.evaluation.executors.local import one_thread
from robseg.evaluation.job import place_of_models, prepare
from robseg.evaluation.parts import part_in
from robseg.evaluation.request import Request
from robseg.evaluation.store import Store, estimate_bytes
from robseg.pipeline import folder_of, shards_left

__all__ = ["show"]

WORKERS = (1, 16, 64)  # for which the time is shown, beside those that are asked for


def show(request: Request) -> None:
    """Write what a run would do to stdout. Its cost is measured on the first images.

    Raises
    ------
    InputError
        If the request is wrong, or the folder holds counts of another run.
    """
    EXECUTORS[request.executor]  # as in a run: an unknown name stops it before anything is loaded
    job = prepare(request)
    store = Store(folder_of(request, job))
    part = part_in(request.part)
    shards = shards_left(job, store.done(job.context, job.tallies))
    images, models = len(job.dataset), len(job.models)
    predicted = len(job.conditions) * images * models
    left = sum(map(len, shards))
    shards = part.among(shards, job) if part else shards
    megabytes = estimate_bytes(shards, job.tallies, job.dataset.num_classes) / 1e6
    click.echo(f"Models       {', '.join(job.models)}")
    click.echo(f"Data         {job.dataset.name}, {job.dataset.split}: {images} images")
    click.echo(f"Conditions   {len(job.conditions)} (clean, and corruptions at their severities)")
    click.echo(f"Predictions  {predicted}, of which {predicted - left} are on disk in {store.out}")
    if part:
        click.echo(f"Part         {part.number} of {part.total}: {sum(map(len, shards))} predictions to make")
    click.echo(f"Disk         at most {megabytes:.1f} MB of counts")
    if shards:
        with one_thread():
            cost = cost_of(job, shards)
        for line in _times(cost, request, place_of_models(request)[0]):
            click.echo(line)


def _times(cost: Cost, request: Request, device: str) -> Iterator[str]:
    """Yield lines about the time of a run whose cost was measured with the models on a device."""
    if device == "cpu":
        seconds = cost.predicting + cost.beside
        yield f"Time         about {_shown(seconds)} on one core, measured on the first images"
    else:
        yield (
            f"Time         about {_shown(cost.predicting)} on one GPU and {_shown(cost.beside)} on one core, "
            f"measured on {device} and the first images"
        )
    workers = sorted({*WORKERS, request.num_workers or 1})
    each = ", ".join(f"{number}: {_shown(cost.wall(number))}" for number in workers)
    yield f"Workers      {each}"
    if device != request.device:
        yield "             (measured without a GPU; ask a node that has one, with --executor local)"


def _shown(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
