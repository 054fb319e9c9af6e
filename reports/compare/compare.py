"""Compare two models on the same images: what changed, by how much, and whether it is more than chance.

Differences are paired: both models are scored without the same images in turn, so images that are hard for
both do not widen the interval of their difference. p-values are two-sided, see `reports.compare.swaps`. Those
of corruptions, groups and classes are corrected for their number by Holm's method (Scandinavian Journal of
Statistics 1979).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports import tallies
from reports.compare.swaps import p_value, paired, swaps
from reports.formats.text import seen_in_training
from reports.run.counts import read_conditions
from reports.run.errors import InvalidRun
from reports.run.identity import differences, in_common
from reports.run.record import RunRecord
from reports.run.spec import open_spec
from reports.run.tally import PRIMARY, Tally
from reports.scoring.jackknife import CONFIDENCE, behind, interval
from reports.scoring.model_scores import ScoreKey, model_scores
from reports.scoring.replicates import Replicates, read_replicates, replicates_of
from reports.tables.results import protocol_of, under_protocol

__all__ = ["Comparison", "compare_runs", "holm"]

Floats = NDArray[np.float64]
AT_ONCE = 8  # pairs of models that are swapped together; the replicates of one may take 100 MB


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The differences second - first of two models, by the measures of a `tally`.

    `table` has a row per score: kind and name (as in `reports.scoring.model_scores`), first, second, their
    difference and its interval low..high, p, measure, p_holm, and whether it moved (p_holm below
    1 - confidence). `swaps` is the number of swaps behind p, which is at least 1 / swaps. `forced` lists the
    differences of the runs that `force` ignored. `left_out` names the models that only one of the runs has.
    `seen` lists, for the first and the second model, the corruptions of the comparison that it was trained
    with.
    """

    first: str
    second: str
    dataset: str
    protocol: str
    tally: Tally
    images: int
    unit: str
    units: int
    confidence: float
    swaps: int
    forced: tuple[str, ...]
    left_out: tuple[str, ...]
    seen: tuple[tuple[str, ...], tuple[str, ...]]
    table: pd.DataFrame

    def __repr__(self) -> str:
        overall = self.table[self.table["kind"] == "overall"]
        columns = ["name", "first", "second", "difference", "low", "high", "p_holm"]
        return f"Comparison of {self.first} and {self.second}:\n{overall[columns].to_string(index=False)}"


def compare_runs(
    first: str | Path,
    second: str | Path,
    *,
    protocol: str | None = None,
    confidence: float = CONFIDENCE,
    force: bool = False,
    tally: str = PRIMARY,
) -> list[Comparison]:
    """Compare two runs, or models of runs (RUN:MODEL), model by model.

    Models are matched by name. If each run has, or each spec names, a single model, these two are compared.

    Parameters
    ----------
    force
        If the runs differ in data, protocol or pixels, compare them on their common images and conditions.
    tally
        Compare by the measures of this tally, which both runs must have counted.

    Raises
    ------
    InvalidRun
        If the runs cannot be compared. The message says what differs or is missing, and what to do.
    """
    (run_a, a), (run_b, b) = (_asked(spec, protocol, tally) for spec in (first, second))
    unlike = [str(difference) for difference in differences(a, b)]
    if unlike and not force:
        raise InvalidRun(
            f"Expected runs that can be compared, but they differ in {'; '.join(unlike)}: "
            "evaluate both with the same options, or add --force to compare what they have in common."
        )
    pairs = _pairs(a, b)
    compared = {name for names, _ in pairs for name in names}
    left_out = tuple(model.name for model in (*a.models, *b.models) if model.name not in compared)
    # The second run takes its images and conditions in the order of the first, so the units are the same.
    a, b = in_common(a, b)
    counted = tallies.find(tally)
    scored_a = read_replicates(run_a, a, counted, confidence, classes=True)
    scored_b = read_replicates(run_b, b, counted, confidence, classes=True)
    found: list[Comparison] = []
    for start in range(0, len(pairs), AT_ONCE):
        some = pairs[start : start + AT_ONCE]
        swapped = _swapped((run_a, run_b), (a, b), scored_a, [places for _, places in some])
        found += [
            _compare(
                scored_a,
                scored_b,
                places,
                (swapped, pair),
                (f"{run_a}:{names[0]}", f"{run_b}:{names[1]}"),
                tuple(unlike),
                left_out,
            )
            for pair, (names, places) in enumerate(some)
        ]
    return found


def _asked(spec: str | Path, protocol: str | None, tally: str) -> tuple[Path, RunRecord]:
    run, record = open_spec(spec)
    if tallies.find(tally).name not in record.tallies:
        raise InvalidRun(
            f"Expected counts of the tally {tally} in {run}, but it has {', '.join(record.tallies)}: "
            f"run the same `robseg evaluate` again with --tally {tally}."
        )
    return run, record if protocol is None else under_protocol(record, protocol)


def _swapped(
    runs: tuple[Path, Path],
    records: tuple[RunRecord, RunRecord],
    scored: Replicates,
    places: list[tuple[int, int]],
) -> Replicates:
    """Return the replicates of pairs of models (A, B, A, B, ...) whose counts are swapped on random units."""
    ours, theirs = (
        read_conditions(run, record, scored.tally) for run, record in zip(runs, records, strict=True)
    )
    alike = records[0].models[:1] * (2 * len(places))  # whose models they are does not matter for scores
    resampling = swaps(scored.record, _rows(scored), 1 - scored.confidence)
    return replicates_of(
        paired(ours, theirs, places),
        dataclasses.replace(scored.record, models=alike),
        scored.tally,
        resampling=resampling,
        classes=True,
    )


def _rows(scored: Replicates) -> int:
    """Return the number of scores of the kind that has most."""
    kinds = [(key.prefix, key.kind) for key in model_scores(scored, 0, protocol_of(scored.record))]
    return max(map(kinds.count, kinds))


def _compare(
    first: Replicates,
    second: Replicates,
    models: tuple[int, int],
    swapped: tuple[Replicates, int],
    labels: tuple[str, str],
    forced: tuple[str, ...],
    left_out: tuple[str, ...],
) -> Comparison:
    """Compare one model each of two runs that were scored on the same units, given pair `swapped` of both."""
    record, confidence = first.record, first.confidence
    ours = model_scores(first, models[0], protocol_of(record))
    a = np.array([score.replicates for score in ours.values()])
    b = _values(second, models[1], ours)
    number = np.maximum(behind(a), behind(b))
    low, high = interval(b - a, confidence, units=number)
    shuffled, pair = swapped
    table = pd.DataFrame(
        {
            "kind": [key.kind for key in ours],
            "name": [key.name for key in ours],
            "first": a[:, 0],
            "second": b[:, 0],
            "difference": (b - a)[:, 0],
            "low": low,
            "high": high,
            "p": p_value(_values(shuffled, 2 * pair + 1, ours) - _values(shuffled, 2 * pair, ours)),
            "measure": [score.measure.name for score in ours.values()],
        }
    )
    # Overall scores are read one by one, so they are not corrected; the others are searched for changes.
    families = table.groupby(["measure", "kind"], sort=False)["p"]
    table["p_holm"] = families.transform(lambda column: holm(column.to_numpy()))
    table["p_holm"] = table["p_holm"].where(table["kind"] != "overall", table["p"])
    table["moved"] = table["p_holm"] < 1 - confidence
    return Comparison(
        *labels,
        record.dataset["name"],
        record.protocol,
        first.tally,
        len(record.images),
        first.units.kind,
        first.units.count,
        confidence,
        shuffled.headline.shape[-1],
        forced,
        left_out,
        (_seen(first, models[0]), _seen(second, models[1])),
        table,
    )


def _values(scored: Replicates, model: int, keys: Iterable[ScoreKey]) -> Floats:
    """Return the replicates of a model's scores, (S, R), in the order of their keys."""
    found = model_scores(scored, model, protocol_of(scored.record))
    return np.array([found[key].replicates for key in keys])


def _seen(scored: Replicates, model: int) -> tuple[str, ...]:
    return tuple(seen_in_training(scored.record.models[model], scored.record))


def holm(p: Sequence[float] | Floats) -> Floats:
    """Return p-values corrected for their number by Holm's method; undefined ones are not counted.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    corrected: Floats = np.full(len(values), np.nan)
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    steps = values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def _pairs(a: RunRecord, b: RunRecord) -> list[tuple[tuple[str, str], tuple[int, int]]]:
    """Return the names and indices of the models that are compared."""
    ours, theirs = [m.name for m in a.models], [m.name for m in b.models]
    if len(ours) == len(theirs) == 1:
        return [((ours[0], theirs[0]), (0, 0))]
    common = [name for name in ours if name in theirs]
    if not common:
        raise InvalidRun(
            f"Expected runs with models of the same names, but got {', '.join(ours)} and "
            f"{', '.join(theirs)}: name one of each as RUN:MODEL."
        )
    return [((name, name), (ours.index(name), theirs.index(name))) for name in common]
