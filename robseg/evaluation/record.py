"""The record of a run, run.json: what was asked, of what, with which versions, at what cost."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from reports.schema import Condition, ModelRecord, RunRecord
from robseg.evaluation.provenance import versions
from robseg.evaluation.request import Request
from robseg.evaluation.runner import Timing
from robseg.evaluation.worker import Job
from robseg.models.model import gmacs

__all__ = ["first_record", "timed_record"]

DATASET_FIELDS = ("name", "split", "fingerprint", "class_names", "palette", "citation")


def first_record(
    request: Request,
    conditions: Sequence[Condition],
    job: Job,
    command: str,
    earlier: RunRecord | None,
) -> RunRecord:
    """Return the record of a run that is about to start, with the timings of the run that it continues."""
    height, width = job.dataset.read(0).target.shape
    known = {model.name: model.ms_per_image for model in earlier.models} if earlier else {}
    models = tuple(
        ModelRecord(
            name=name,
            card=dataclasses.asdict(model.card),
            sha256=model.sha256,
            parameters=model.parameters,
            gmacs=gmacs(model, height, width),
            ms_per_image=known.get(name),
        )
        for name, model in job.models.items()
    )
    return RunRecord(
        command=command,
        dataset={field: getattr(job.dataset, field) for field in DATASET_FIELDS},
        images=job.dataset.ids,
        clusters=job.dataset.clusters,
        conditions=tuple(conditions),
        models=models,
        protocol=request.protocol,
        seed=request.seed,
        set_version=job.context.set_version,
        move_targets=request.move_targets,
        device=request.device,
        precision=request.precision,
        batch_size=request.batch_size,
        versions=versions(),
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        seconds=earlier.seconds if earlier else {},
    )


def timed_record(record: RunRecord, timing: Timing) -> RunRecord:
    """Return the record with a run's timings added; `seconds` are sums over all workers, but for "wall"."""
    models = tuple(
        dataclasses.replace(
            model, ms_per_image=1000 * timing.stages[f"predict:{model.name}"] / timing.predicted[model.name]
        )
        if timing.predicted.get(model.name)
        else model
        for model in record.models
    )
    new = {**timing.stages, "wall": timing.wall}
    seconds = {stage: record.seconds.get(stage, 0.0) + new.get(stage, 0.0) for stage in record.seconds | new}
    return dataclasses.replace(record, models=models, seconds=seconds)
