"""A whole evaluation, from request to report: check, load, run, score and report."""

from __future__ import annotations

import dataclasses
import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import reports
from reports.run.folder import OutFolder
from reports.run.record import Example, RunRecord
from robseg.errors import PartDone
from robseg.evaluation.conditions import CLEAN_CONDITION
from robseg.evaluation.examples import write_examples
from robseg.evaluation.executors import EXECUTORS
from robseg.evaluation.job import Job, prepare
from robseg.evaluation.parts import part_in, refuse_other_request, what_is_left
from robseg.evaluation.processes.exits import no_exit
from robseg.evaluation.provenance import drift
from robseg.evaluation.record import continued, first_record, speeds, timed_record
from robseg.evaluation.request import Request
from robseg.evaluation.run import run
from robseg.evaluation.shards import Shard, missing_shards
from robseg.evaluation.store import Done, Store

if TYPE_CHECKING:
    from reports.tables.results import Results

__all__ = ["execute", "folder_of", "shards_left"]

notes = logging.getLogger("robseg")

EXAMPLE_IMAGES = 2
EXAMPLE_SEVERITY = 3


@no_exit()
def execute(request: Request, command: str = "") -> Results:
    """Evaluate a request, score its counts, and write the tables and the report to the run's folder.

    Raises
    ------
    InputError
        If the request is wrong, or the folder is in use, not writable, too full, or holds counts of another
        run.
    PartDone
        If the part that was asked for is done, and others are not.
    IncompleteRun
        If a worker died. The same call then continues the run.
    """
    executor = EXECUTORS[request.executor]
    part = part_in(request.part)
    job = prepare(request)
    with Store(folder_of(request, job), part) as store:
        found = store.done(job.context, job.tallies)
        store.set_aside(found.unusable)
        left = shards_left(job, found)
        shards = part.among(left, job) if part else left
        store.refuse_shortage(shards, job.tallies, job.dataset.num_classes)
        new = first_record(request, job, command)
        refuse_other_request(store.recorded, new, found.rows, store.out)
        record = store.write_record(lambda earlier: continued(new, earlier))
        if store.recorded and (changes := drift(store.recorded, record)):
            notes.warning("The run goes on with other software than before: %s.", ", ".join(changes))
        timing = run(job, store.out, shards, executor, request)
        job.dataset.refuse_changes(range(len(job.dataset)))
        measured = speeds(record, job, timing, request)
        record = store.write_record(lambda now: timed_record(now or record, timing, measured))
        if part and (left := shards_left(job, store.done(job.context, job.tallies))):
            raise PartDone(what_is_left(part, left, job))
        with store.shared():
            return _scored(request, job, record, store)


def _scored(request: Request, job: Job, record: RunRecord, store: Store) -> Results:
    """Write the tables, the gallery and the report of a run that is complete."""
    from reports.tables.results import save_tables  # here: `robseg --help` does without pandas

    start = time.perf_counter()
    results = reports.load(store.out)
    save_tables(results, store.out, beside=["report.html"])
    gallery = _gallery(job, results, store.folder) if request.examples else ()
    scored = {**record.seconds, "score": time.perf_counter() - start}
    store.write_record(lambda _: dataclasses.replace(record, examples=gallery, seconds=scored))
    reports.write_report(store.out)
    return results


def folder_of(request: Request, job: Job) -> Path:
    """Return the folder of a run: the requested one, or else runs/MODELS-DATASET."""
    if request.out is not None:
        return Path(request.out)
    models = "+".join(job.models) if len(job.models) <= 3 else f"{len(job.models)}-models"
    return Path("runs") / re.sub(r"[^\w.@+-]+", "-", f"{models}-{job.dataset.name}")


def shards_left(job: Job, done: Done) -> list[Shard]:
    """Return the shards of a job that are not on disk."""
    tallies = [tally.name for tally in job.tallies]
    return missing_shards(job.conditions, job.dataset.ids, tuple(job.models), tallies, done.rows)


def _gallery(job: Job, results: Results, out: OutFolder) -> tuple[Example, ...]:
    """Write examples of the clean condition and, at EXAMPLE_SEVERITY, of each group's hardest corruption."""
    scores = results.scores[results.scores.severity == EXAMPLE_SEVERITY]
    means = scores.groupby(["group", "corruption"], sort=False).miou.mean().reset_index()
    hardest = set(means.loc[means.groupby("group").miou.idxmin().dropna(), "corruption"])
    shown = [CLEAN_CONDITION] + [
        condition
        for condition in job.conditions
        if condition.corruption in hardest and condition.severity == EXAMPLE_SEVERITY
    ]
    number = len(job.dataset)
    images = sorted({i * number // EXAMPLE_IMAGES for i in range(EXAMPLE_IMAGES)})
    return write_examples(job, images, shown, out)
