"""Fill in the record of a run, run.json: the request, models, data, software versions and times."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

import corruptions
from reports.run.record import CLEAN, Call, Condition, DatasetFacts, ModelRecord, RunRecord
from robseg.datasets.base import Dataset
from robseg.evaluation import resolve
from robseg.evaluation.class_maps import read_class_map
from robseg.evaluation.job import Job, place_of_models
from robseg.evaluation.provenance import versions
from robseg.evaluation.request import Request
from robseg.evaluation.run import Timing
from robseg.evaluation.speed import measure

__all__ = ["first_record", "timed_record"]


def first_record(
    request: Request,
    job: Job,
    command: str,
    earlier: RunRecord | None,
) -> RunRecord:
    """Return the record of a run that is about to start, with the times of the run that it continues."""
    this = Call(
        # The bytes of a path on a command line need not be UTF-8.
        command=command.encode(errors="backslashreplace").decode(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=versions(),
        batch_size=request.batch_size,
    )
    height, width = job.dataset.read(0).target.shape
    known = {model.name: model for model in earlier.models} if earlier else {}
    models = tuple(_model_record(name, job, (height, width), known.get(name)) for name in job.models)
    return RunRecord(
        command=this.command,
        dataset=_dataset_facts(job.dataset, request),
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
        batch_size=this.batch_size,
        versions=this.versions,
        created=this.created,
        seconds=earlier.seconds if earlier else {},
        tallies=tuple(tally.name for tally in job.tallies),
        context=job.context,
        history=(*(earlier.history if earlier else ()), this),
    )


def timed_record(record: RunRecord, job: Job, timing: Timing, request: Request) -> RunRecord:
    """Return the record with the times of a run added; except for "wall", they are sums over workers.

    A model that has predicted anything is timed alone, if no earlier call has done so and it is on the device
    here.
    """
    measured = {
        model.name: measure(job, model.name)
        for model in record.models
        if model.ms_per_image is None
        and model.name in timing.predicted
        and place_of_models(request) == (request.device, request.precision)
    }
    models = tuple(
        dataclasses.replace(model, ms_per_image=speed.median, ms_range=(speed.least, speed.most))
        if (speed := measured.get(model.name))
        else model
        for model in record.models
    )
    new = {**timing.stages, "wall": timing.wall}
    seconds = {stage: record.seconds.get(stage, 0.0) + new.get(stage, 0.0) for stage in record.seconds | new}
    return dataclasses.replace(record, models=models, seconds=seconds)


def _dataset_facts(dataset: Dataset, request: Request) -> dict[str, Any]:
    facts = {fact: getattr(dataset, fact) for fact in DatasetFacts.__annotations__ if fact != "class_map"}
    facts["fingerprint"] = dataset.identity  # results compare only if labels mean the same
    if request.class_map is not None:
        facts["class_map"] = read_class_map(request.class_map).stated
    return facts


def _set_versions(conditions: Sequence[Condition]) -> dict[str, str]:
    """Return the version of each corruption set that has one of the conditions."""
    records = [corruptions.get(c.corruption) for c in conditions if c.corruption != CLEAN]
    return {record.set_name: record.set_version for record in records}


def _model_record(name: str, job: Job, size: tuple[int, int], earlier: ModelRecord | None) -> ModelRecord:
    """Return the record of a model with its `earlier` time; `size` is the height and width of an image."""
    model = job.models[name]
    return ModelRecord(
        name=name,
        card=dataclasses.asdict(model.card),
        sha256=model.sha256,
        parameters=model.parameters,
        gmacs=model.gmacs(*size),
        ms_per_image=earlier.ms_per_image if earlier else None,
        ms_range=earlier.ms_range if earlier else None,
        facts=dict(model.facts),
    )
