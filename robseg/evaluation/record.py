"""Fill in the record of a run, run.json: the request, models, data, software versions and times."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Sequence
from typing import Any

import corruptions
from reports.run.record import CLEAN, DATASET_KEYS, Condition, ModelRecord, RunRecord
from robseg.evaluation import resolve
from robseg.evaluation.job import Job
from robseg.evaluation.provenance import versions
from robseg.evaluation.request import Request
from robseg.evaluation.run import Timing
from robseg.models.predict.batch import Part

__all__ = ["first_record", "timed_record"]


def first_record(
    request: Request,
    job: Job,
    command: str,
    earlier: RunRecord | None,
) -> RunRecord:
    """Return the record of a run that is about to start, with the times of the run that it continues."""
    height, width = job.dataset.read(0).target.shape
    known = {model.name: model.ms_per_image for model in earlier.models} if earlier else {}
    models = tuple(
        dataclasses.replace(_model_record(name, job, (height, width)), ms_per_image=known.get(name))
        for name in job.models
    )
    return RunRecord(
        command=command,
        dataset={field: getattr(job.dataset, field) for field in (*DATASET_KEYS, "total")},
        images=job.dataset.ids,
        clusters=job.dataset.clusters,
        conditions=job.conditions,
        models=models,
        protocol=resolve.protocol(request),
        seed=request.seed,
        set_versions=_set_versions(job.conditions),
        move_targets=job.context.move_targets,
        device=request.device,
        precision=request.precision,
        batch_size=request.batch_size,
        versions=versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=earlier.seconds if earlier else {},
        tallies=tuple(tally.name for tally in job.tallies),
    )


def timed_record(record: RunRecord, job: Job, timing: Timing) -> RunRecord:
    """Return the record with the times of a run added; except for "wall", they are sums over workers."""
    models = tuple(
        dataclasses.replace(model, ms_per_image=_ms_per_image(model.name, job, timing))
        if timing.predicted.get(model.name)
        else model
        for model in record.models
    )
    new = {**timing.stages, "wall": timing.wall}
    seconds = {stage: record.seconds.get(stage, 0.0) + new.get(stage, 0.0) for stage in record.seconds | new}
    return dataclasses.replace(record, models=models, seconds=seconds)


def _set_versions(conditions: Sequence[Condition]) -> dict[str, str]:
    """Return the version of each corruption set that has one of the conditions."""
    records = [corruptions.get(c.corruption) for c in conditions if c.corruption != CLEAN]
    return {record.set_name: record.set_version for record in records}


def _model_record(name: str, job: Job, size: tuple[int, int]) -> ModelRecord:
    """Return the record of a model without its time; `size` is the height and width of an image."""
    model = job.models[name]
    return ModelRecord(
        name=name,
        card=dataclasses.asdict(model.card),
        sha256=model.sha256,
        parameters=model.parameters,
        gmacs=model.gmacs(*size),
        facts=dict(model.facts),
    )


def _ms_per_image(name: str, job: Job, timing: Timing) -> float:
    """Return the time of a model per image in milliseconds, summed over its parts."""
    return 1000 * sum(_seconds(part, job, timing) for part in _parts(job.models[name]))


def _seconds(part: Part[Any], job: Job, timing: Timing) -> float:
    """Return the time of a part per image; if several models share the part, it was computed only once."""
    images = max(
        images
        for name, images in timing.predicted.items()
        if any(each is part for each in _parts(job.models[name]))
    )
    return timing.stages[f"predict:{part.name}"] / images


def _parts(part: Part[Any]) -> Iterator[Part[Any]]:
    yield part
    for each in part.parts:
        yield from _parts(each)
