"""`robseg evaluate --profile`: which share of the time of a run each stage took."""

from __future__ import annotations

from rich.console import Group

from reports.formats.documents import Document, Table, to_console
from reports.run.record import RunRecord
from robseg.evaluation.timed import WAITING, WORKING

__all__ = ["time_of"]

OF_NO_WORKER = ("wall", "score", WORKING, WAITING)


def time_of(record: RunRecord) -> Group:
    """Return the seconds of each stage of a run, over all its calls and workers, for the console."""
    stages = {stage: seconds for stage, seconds in record.seconds.items() if stage not in OF_NO_WORKER}
    total = sum(stages.values())
    rows = [(stage, f"{seconds:.1f}", _share(seconds, total)) for stage, seconds in stages.items()]
    working, waiting = (record.seconds.get(name, 0.0) for name in (WORKING, WAITING))
    sentence = (
        f"The device ({record.device}) was at work on predictions {_share(working, working + waiting)} of "
        f"the time of its workers, and waited {_share(waiting, working + waiting)}."
    )
    return to_console(
        Document("Time of the run", (), (sentence,), (Table("", ("Stage", "Seconds", "Share"), tuple(rows)),))
    )


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
