"""Fill in the record of a run, run.json: the request, models, data, software versions and times."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import corruptions
from reports.run.record import CLEAN, Call, Condition, DatasetFacts, ModelRecord, RunRecord
from robseg.datasets.base import Dataset
from robseg.evaluation import resolve
from robseg.evaluation.class_maps import read_class_map
from robseg.evaluation.job import Job, place_of_models
from robseg.evaluation.parts import part_in
from robseg.evaluation.provenance import versions
from robseg.evaluation.request import Request
from robseg.evaluation.run import Timing
from robseg.evaluation.speed import Speed, measure

__all__ = ["continued", "first_record", "speeds", "timed_record"]


def first_record(request: Request, job: Job, command: str) -> RunRecord:
    """Return the record of a run that is about to start."""
    this = Call(
        # The bytes of a path on a command line need not be UTF-8.
        command=command.encode(errors="backslashreplace").decode(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=versions(),
        batch_size=request.batch_size,
    )
    height, width = job.dataset.read(0).target.shape
    part = part_in(request.part)
    return RunRecord(
        command=this.command,
        dataset=_dataset_facts(job.dataset, request),
        images=job.dataset.ids,
        clusters=job.dataset.clusters,
        conditions=job.conditions,
        models=tuple(_model_record(name, job, (height, width)) for name in job.models),
        protocol=resolve.protocol(request),
        seed=request.seed,
        set_versions=_set_versions(job.conditions),
        move_targets=job.context.move_targets,
        device=request.device,
        precision=request.precision,
        batch_size=this.batch_size,
        versions=this.versions,
        created=this.created,
        tallies=tuple(tally.name for tally in job.tallies),
        context=job.context,
        parts=part.total if part else 0,
        history=(this,),
    )


def continued(record: RunRecord, earlier: RunRecord | None) -> RunRecord:
    """Return the record with the calls and times of the run that it continues."""
    if earlier is None:
        return record
    known = {model.name: model for model in earlier.models}
    models = tuple(
        dataclasses.replace(model, ms_per_image=before.ms_per_image, ms_range=before.ms_range)
        if (before := known.get(model.name))
        else model
        for model in record.models
    )
    history = (*earlier.history, *record.history)
    return dataclasses.replace(record, models=models, seconds=earlier.seconds, history=history)


def speeds(record: RunRecord, job: Job, timing: Timing, request: Request) -> dict[str, Speed]:
    """Time each model alone that has predicted anything and is on the device here, if nobody has done so."""
    return {
        model.name: measure(job, model.name)
        for model in record.models
        if model.ms_per_image is None
        and model.name in timing.predicted
        and place_of_models(request) == (request.device, request.precision)
    }


def timed_record(record: RunRecord, timing: Timing, measured: Mapping[str, Speed]) -> RunRecord:
    """Return the record with the times of a run added; except for "wall", they are sums over workers."""
    models = tuple(
        dataclasses.replace(model, ms_per_image=speed.median, ms_range=(speed.least, speed.most))
        if model.ms_per_image is None and (speed := measured.get(model.name))
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


def _model_record(name: str, job: Job, size: tuple[int, int]) -> ModelRecord:
    """Return the record of a model, without its time; `size` is the height and width of an image."""
    model = job.models[name]
    return ModelRecord(
        name=name,
        card=dataclasses.asdict(model.card),
        sha256=model.sha256,
        parameters=model.parameters,
        gmacs=model.gmacs(*size),
        facts=dict(model.facts),
    )
