"""The record of a run, run.json: what was asked, of what, with which versions, at what cost."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import TypeVar

from reports.run.record import Condition, ModelRecord, RunRecord
from robseg.evaluation import refinement, resolve
from robseg.evaluation.provenance import versions
from robseg.evaluation.request import Request
from robseg.evaluation.runner import Timing
from robseg.evaluation.worker import Job
from robseg.models.model import Model, gmacs

__all__ = ["first_record", "timed_record"]

Number = TypeVar("Number", int, float)

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
        dataclasses.replace(_model_record(name, job, (height, width)), ms_per_image=known.get(name))
        for name in job.models
    )
    return RunRecord(
        command=command,
        dataset={field: getattr(job.dataset, field) for field in DATASET_FIELDS},
        images=job.dataset.ids,
        clusters=job.dataset.clusters,
        conditions=tuple(conditions),
        models=models,
        protocol=resolve.protocol(request),
        seed=request.seed,
        set_version=job.context.set_version,
        move_targets=resolve.move_targets(request),
        device=request.device,
        precision=request.precision,
        batch_size=request.batch_size,
        versions=versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=earlier.seconds if earlier else {},
        refinement=refinement.described(job.refiner) if job.refiner is not None else None,
        boundaries=job.boundaries,
    )


def timed_record(record: RunRecord, timing: Timing) -> RunRecord:
    """Return the record with a run's timings added; `seconds` are sums over all workers, but for "wall"."""
    models = tuple(
        dataclasses.replace(model, ms_per_image=_ms_per_image(model, timing))
        if timing.predicted.get(model.name)
        else model
        for model in record.models
    )
    new = {**timing.stages, "wall": timing.wall}
    seconds = {stage: record.seconds.get(stage, 0.0) + new.get(stage, 0.0) for stage in record.seconds | new}
    return dataclasses.replace(record, models=models, seconds=seconds)


def _model_record(name: str, job: Job, size: tuple[int, int]) -> ModelRecord:
    """Return the record of a model, untimed; `size` is an image's."""
    model = job.models[name]
    networks = [model]
    if name in job.refined and job.refiner is not None and isinstance(job.refiner.source, Model):
        networks.append(job.refiner.source)
    return ModelRecord(
        name=name,
        card=dataclasses.asdict(model.card),
        sha256=model.sha256,
        parameters=_sum([network.parameters for network in networks]),
        gmacs=_sum([gmacs(network, *size) for network in networks]),
        refines=model.name if name in job.refined else "",
    )


def _ms_per_image(model: ModelRecord, timing: Timing) -> float:
    """Return a model's time for an image; a refined one's is that of its prediction and of the offsets."""
    images = timing.predicted[model.name]
    plain = model.refines or model.name
    # Where both names are counted, the prediction was made once for both.
    seconds = timing.stages[f"predict:{plain}"] / max(images, timing.predicted.get(plain, 0))
    if model.refines:
        seconds += timing.stages["refine"] / images
    return 1000 * seconds


def _sum(values: Sequence[Number | None]) -> Number | None:
    """Return the sum, None where a value is unknown."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if len(known) == len(values) else None
