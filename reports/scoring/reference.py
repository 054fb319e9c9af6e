"""The reference of CD and rCD: a model of the run, of another run, or a published row."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from reports.run.errors import InvalidRun
from reports.run.identity import conditions_of, differences
from reports.run.record import CLEAN, RunRecord
from reports.run.spec import pick_model, split_spec
from reports.scoring.aggregate import ModelCurves, model_curves, published_curves
from reports.scoring.published import Published, published
from reports.scoring.replicates import Replicates, read_replicates

__all__ = ["Reference", "find_reference"]


@dataclasses.dataclass(frozen=True)
class Reference:
    """A reference: the name under which it was asked for, its curves, and where they come from."""

    name: str
    curves: ModelCurves
    source: str


def find_reference(text: str, scored: Replicates) -> Reference:
    """Return the reference for a scored run: one of its models, RUN:MODEL, RUN, or a published row's name.

    Raises
    ------
    InvalidRun
        If there is no such reference, or it is not for the same data and conditions.
    """
    record = scored.record
    names = [model.name for model in record.models]
    if text in names:
        curves = model_curves(scored.headline[names.index(text)], record.conditions)
        return Reference(text, curves, "a model of this run")
    if text in published():
        row = published()[text]
        _check_published(row, record)
        return Reference(text, published_curves(row), row.source)
    run, name = split_spec(text)
    if run is None:
        raise InvalidRun(
            f"Expected `reference` to be a model of the run ({', '.join(names)}), RUN:MODEL, or a published "
            f"row ({', '.join(published())}), but got '{text}'."
        )
    return Reference(text, _curves_of_run(run, name, scored), f"another run, {run}")


def _curves_of_run(run: Path, name: str | None, scored: Replicates) -> ModelCurves:
    other = pick_model(RunRecord.load(run), name, run)
    ours = scored.record
    unlike = differences(ours, other, protocol=False)
    lacking = conditions_of(ours) - conditions_of(other)
    if unlike or lacking:
        reason = "; ".join(map(str, unlike)) or f"it lacks {len(lacking)} of the conditions"
        raise InvalidRun(
            f"Expected the reference {run} to have the same data and conditions as the run, but got this "
            f"difference: {reason}. Evaluate it like the run."
        )
    same = dataclasses.replace(
        other, images=ours.images, clusters=ours.clusters, conditions=ours.conditions
    )  # so that the units are the same
    found = read_replicates(run, same, scored.tally)
    return model_curves(found.headline[0], same.conditions)


def _check_published(row: Published, record: RunRecord) -> None:
    """Raise InvalidRun unless the run has the data set and exactly the conditions of a published row."""
    here = (record.dataset["name"], record.dataset["split"])
    if here != (row.dataset, row.split):
        raise InvalidRun(
            f"Expected {row.dataset}/{row.split} for the published reference '{row.name}', but the run is on "
            f"{here[0]}/{here[1]}: scores on other data do not compare. Name a model of a run instead."
        )
    if conditions_of(record) - {(CLEAN, 0)} != row.conditions:
        raise InvalidRun(
            f"Expected the conditions of protocol {row.protocol} for the published reference '{row.name}', "
            f"but got others: add --protocol {row.protocol}."
        )
