"""RUN and RUN:MODEL, the names of a run and of one of its models."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from reports.run.errors import InvalidRun
from reports.run.files import holds_run
from reports.run.record import RunRecord

__all__ = ["open_spec", "pick_model", "split_spec"]


def open_spec(spec: str | Path) -> tuple[Path, RunRecord]:
    """Return a run's folder or ZIP file and its record; for RUN:MODEL, the record has only that model.

    Raises
    ------
    InvalidRun
        If there is no such run or model.
    """
    run, name = split_spec(str(spec))
    if run is None:
        raise InvalidRun(f"Expected RUN or RUN:MODEL, but there is no run in '{spec}' (it has no run.json).")
    record = RunRecord.load(run)
    return run, record if name is None else pick_model(record, name, run)


def split_spec(text: str) -> tuple[Path | None, str | None]:
    """Split RUN or RUN:MODEL into the run's path and the model's name; both are None without a run.

    Both parts may contain colons.
    """
    if holds_run(Path(text)):
        return Path(text), None
    for place, character in enumerate(text):
        if character == ":" and holds_run(Path(text[:place])):
            return Path(text[:place]), text[place + 1 :]
    return None, None


def pick_model(record: RunRecord, name: str | None, run: Path) -> RunRecord:
    """Return a record with one of its models: the named one, or the only one.

    Raises
    ------
    InvalidRun
        If there is no such model, or there are several and `name` is None.
    """
    names = [model.name for model in record.models]
    if name is None and len(names) > 1:
        raise InvalidRun(
            f"Expected RUN:MODEL, but got a run alone, and {run} has {len(names)} models: {', '.join(names)}."
        )
    chosen = name if name is not None else names[0]
    if chosen not in names:
        raise InvalidRun(f"Expected a model of {run} ({', '.join(names)}), but got '{chosen}'.")
    return dataclasses.replace(record, models=(record.models[names.index(chosen)],))
