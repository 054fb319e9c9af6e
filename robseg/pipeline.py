"""An evaluation from request to report: check, load, run, score, report."""

from __future__ import annotations

import dataclasses
import functools
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import reports
from reports.run.record import Condition, Example, InvalidRun, RunRecord
from robseg.evaluation import executors, resolve
from robseg.evaluation.examples import write_examples
from robseg.evaluation.job import prepare
from robseg.evaluation.plan import CLEAN_CONDITION, Shard
from robseg.evaluation.record import first_record, timed_record
from robseg.evaluation.request import Request
from robseg.evaluation.runner import run, todo
from robseg.evaluation.store import Store
from robseg.evaluation.worker import Job
from robseg.files import write_atomically

if TYPE_CHECKING:
    from reports.tables.results import Results

__all__ = ["Plan", "execute", "make_plan"]

EXAMPLE_IMAGES = 2
EXAMPLE_SEVERITY = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """A request that has been checked and loaded: what will run, and where it goes."""

    request: Request
    conditions: tuple[Condition, ...]
    job: Job
    store: Store

    def shards(self) -> list[Shard]:
        """Return the shards that are not on disk yet."""
        return todo(self.job, self.conditions, self.store)


def make_plan(request: Request) -> Plan:
    """Check the names of a request, then open its data and load its models; nothing is written."""
    resolve.check(request)
    conditions = resolve.conditions(request)
    job = prepare(request)
    store = Store(Path(request.out) if request.out is not None else Path("runs") / _folder_name(job))
    return Plan(request, conditions, job, store)


def _folder_name(job: Job) -> str:
    models = "+".join(job.models) if len(job.models) <= 3 else f"{len(job.models)}-models"
    return re.sub(r"[^\w.@+-]+", "-", f"{models}-{job.dataset.name}")


def execute(plan: Plan, *, command: str = "") -> Results:
    """Run a plan, score it, and write tables and report to the run's folder.

    Raises
    ------
    InputError
        If the folder is in use, not writable, too full, or holds counts of another run.
    IncompleteRun
        If a worker died; the same call continues.
    """
    out, request = plan.store.out, plan.request
    with plan.store:
        shards = plan.shards()
        plan.store.refuse_shortage(shards, plan.job.dataset.num_classes)
        earlier = _earlier(out)
        record = _written(first_record(request, plan.conditions, plan.job, command, earlier), out)
        executor = _executor(request.num_workers, shards)
        timing = run(plan.job, plan.store.counts_dir, shards, executor, request.progress)
        record = _written(timed_record(record, timing), out)
        start = time.perf_counter()
        results = reports.write_tables(out)
        gallery = _gallery(plan, results) if request.examples else ()
        scored = {**record.seconds, "score": time.perf_counter() - start}
        _written(dataclasses.replace(record, examples=gallery, seconds=scored), out)
        reports.write_report(out)
    return results


def _executor(num_workers: int, shards: list[Shard]) -> executors.Executor:
    if num_workers == 0 or not shards:
        return executors.in_process
    return functools.partial(executors.local, num_workers=min(num_workers, len(shards)))


def _earlier(out: Path) -> RunRecord | None:
    """Return the record of the run that is continued, for its timings (counts describe themselves)."""
    try:
        return RunRecord.load(out)
    except InvalidRun:
        return None


def _written(record: RunRecord, out: Path) -> RunRecord:
    write_atomically(out / "run.json", record.to_json().encode())
    return record


def _gallery(plan: Plan, results: Results) -> tuple[Example, ...]:
    """Write examples of the clean condition and of each group's hardest corruption at a medium severity."""
    scores = results.scores[results.scores.severity == EXAMPLE_SEVERITY]
    means = scores.groupby(["group", "corruption"], sort=False).miou.mean().reset_index()
    hardest = set(means.loc[means.groupby("group").miou.idxmin().dropna(), "corruption"])
    shown = [CLEAN_CONDITION] + [
        condition
        for condition in plan.conditions
        if condition.corruption in hardest and condition.severity == EXAMPLE_SEVERITY
    ]
    number = len(plan.job.dataset)
    images = sorted({i * number // EXAMPLE_IMAGES for i in range(EXAMPLE_IMAGES)})
    return write_examples(plan.job, images, shown, plan.store.out)
