"""Rank correlations: how alike two runs, usually on different data, rank models and corruptions.

A rank correlation is uncertain for two reasons. One is the choice of images: its interval comes from ranks on
resamples of each run's images. The other is the small number of items: p is the share of all their orders
that agree at least as well as the order that was found.

With few images, rho is biased towards zero, and on resamples more so: if items have close scores, intervals
of rho lie too low. Their low end is safe, but their high end may even be below rho (docs/scores.md).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports import tallies
from reports.ranks.bootstrap import bootstrap, percentiles
from reports.ranks.counterparts import Pair, counterparts, in_words
from reports.ranks.spearman import FEWEST, orders, p_of_orders, spearman
from reports.run.identity import SET, conditions_of, differences
from reports.run.record import RunRecord
from reports.run.spec import open_spec
from reports.run.tally import PRIMARY
from reports.scoring.aggregate import retention
from reports.scoring.jackknife import CONFIDENCE
from reports.scoring.model_scores import ScoreKey, model_scores
from reports.scoring.replicates import Replicates, read_replicates
from reports.tables.results import protocol_of, under_protocol

__all__ = ["Ranks", "Side", "rank", "rank_runs"]

Floats = NDArray[np.float64]
Scores = Mapping[ScoreKey, Floats]

OVERALL = ("clean", "mpc", "rpc")
MATTERS = (SET, "targets")  # differences to warn of, even between runs on different data


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two runs: its folder, its data, and the units that are resampled, images or clusters."""

    run: str
    dataset: str
    images: int
    unit: str
    units: int


@dataclasses.dataclass(frozen=True)
class Ranks:
    """The rank correlations of two runs.

    `table` has a row per rank correlation: kind, name, the number of ranked items, rho in -1..1 with its
    interval low..high, and the one-sided p. There are four kinds. "models" ranks models by an overall score
    or under a corruption, if there are at least three pairs. "corruptions" and "conditions" rank these by
    the mIoU of one pair. "mean" has the mean of each other kind over corruptions or pairs. Conditions have no
    p, because the severities order them in any run.

    `models` and `corruptions` have the scores that were ranked, as fractions: those of each pair, and the
    share of the clean mIoU kept under each corruption, averaged over pairs. `unlike` lists the differences of
    the runs that may distort ranks, `left_out` the models and conditions that only one run has.
    """

    first: Side
    second: Side
    pairs: tuple[Pair, ...]
    protocol: str
    resamples: int
    confidence: float
    unlike: tuple[str, ...]
    left_out: tuple[str, ...]
    table: pd.DataFrame
    models: pd.DataFrame
    corruptions: pd.DataFrame


def rank_runs(
    first: str | Path,
    second: str | Path,
    *,
    protocol: str | None = None,
    resamples: int = 2000,
    confidence: float = CONFIDENCE,
) -> Ranks:
    """Compare how two runs, or models of runs (RUN:MODEL), rank the models and conditions of both.

    Raises
    ------
    InvalidRun
        If a run cannot be read, or the runs share no model or no corruption at the same severity.
    """
    (run_a, a), (run_b, b) = open_spec(first), open_spec(second)
    if protocol is not None:
        a, b = under_protocol(a, protocol), under_protocol(b, protocol)
    pairs, (kept_a, kept_b) = counterparts(a, b)
    a_scored, b_scored = (
        read_replicates(run, kept, tallies.find(PRIMARY), confidence, resampling=bootstrap(kept, resamples))
        for run, kept in ((run_a, kept_a), (run_b, kept_b))
    )
    return rank(
        a_scored,
        b_scored,
        pairs,
        (str(run_a), str(run_b)),
        tuple(str(difference) for difference in differences(a, b) if difference.what.startswith(MATTERS)),
        (*_left_out(run_a, a, kept_a), *_left_out(run_b, b, kept_b)),
    )


def rank(
    first: Replicates,
    second: Replicates,
    pairs: Sequence[Pair],
    runs: tuple[str, str] = ("first", "second"),
    unlike: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
) -> Ranks:
    """Compare the ranks in two scored runs with exactly these pairs and the same conditions, in order."""
    a, b = _scores(first), _scores(second)
    names = [pair.name for pair in pairs]
    corruptions = [key.name for key in a if key.kind == "corruption"]
    found = [
        _correlate("corruptions", names, _by_model(a, "corruption"), _by_model(b, "corruption")),
        _correlate(
            "conditions", names, _by_model(a, "condition"), _by_model(b, "condition"), by_chance=False
        ),
    ]
    overall = []
    if len(pairs) >= FEWEST:
        found.insert(0, _correlate("models", corruptions, _stack(a, "corruption"), _stack(b, "corruption")))
        overall.append(_correlate("models", OVERALL, _stack(a, "overall"), _stack(b, "overall")))
    units = min(first.units.count, second.units.count)
    parts = [*(correlations.mean() for correlations in found), *overall, *found]
    return Ranks(
        _side(first, runs[0]),
        _side(second, runs[1]),
        tuple(pairs),
        first.record.protocol,
        first.headline.shape[-1] - 1,
        first.confidence,
        unlike,
        left_out,
        pd.concat([part.table(units, first.confidence) for part in parts], ignore_index=True),
        pd.DataFrame({"model": names} | _overall(a, b)),
        pd.DataFrame({"corruption": corruptions, "first": _retained(a), "second": _retained(b)}),
    )


@dataclasses.dataclass(frozen=True)
class _Correlations:
    """G rank correlations of one kind, all with the same number of items.

    `replicates` (G, R) come from the resamples of images, `reordered` (G, P) from the orders of
    `reports.ranks.spearman.orders`.
    """

    kind: str
    names: Sequence[str]
    items: int
    replicates: Floats
    reordered: Floats

    def mean(self) -> _Correlations:
        """Return their mean as one correlation; all of them use the same orders."""
        parts = (part.mean(axis=0, keepdims=True) for part in (self.replicates, self.reordered))
        return _Correlations("mean", [self.kind], self.items, *parts)

    def table(self, units: int, confidence: float) -> pd.DataFrame:
        """Return their rows of `Ranks.table`."""
        low, high = percentiles(self.replicates, units, confidence)
        columns = {"rho": self.replicates[:, 0], "low": low, "high": high, "p": p_of_orders(self.reordered)}
        return pd.DataFrame({"kind": self.kind, "name": self.names, "items": self.items, **columns})


def _correlate(
    kind: str, names: Sequence[str], first: Floats, second: Floats, *, by_chance: bool = True
) -> _Correlations:
    """Return G rank correlations of the items of two runs, (G, I, R) each; with p only if `by_chance`."""
    items = first.shape[1]
    reordered = np.full((len(names), 1), np.nan)
    if by_chance:
        reordered = spearman(first[..., :1], second[..., 0][:, orders(items)])
    return _Correlations(kind, names, items, spearman(first, second), reordered)


def _scores(scored: Replicates) -> Scores:
    """Return the scores of a run by name, with the replicates of all models, (M, R)."""
    protocol = protocol_of(scored.record)
    models = [model_scores(scored, place, protocol) for place in range(len(scored.record.models))]
    return {key: np.stack([model[key].replicates for model in models]) for key in models[0]}


def _stack(scores: Scores, kind: str) -> Floats:
    """Return the scores of a kind, (I, M, R)."""
    return np.stack([values for key, values in scores.items() if key.kind == kind])


def _by_model(scores: Scores, kind: str) -> Floats:
    """Return the scores of a kind, (M, I, R)."""
    return _stack(scores, kind).swapaxes(0, 1)


def _overall(first: Scores, second: Scores) -> dict[str, Floats]:
    """Return each overall score of the models, in columns for the first and the second run."""
    return {
        f"{name}_{side}": scores[ScoreKey("overall", name)][:, 0]
        for name in OVERALL
        for side, scores in (("first", first), ("second", second))
    }


def _retained(scores: Scores) -> Floats:
    """Return the share of the clean mIoU that is kept under each corruption, averaged over models."""
    kept = retention(_stack(scores, "corruption"), scores[ScoreKey("overall", "clean")])
    mean: Floats = kept[..., 0].mean(axis=1)
    return mean


def _side(scored: Replicates, run: str) -> Side:
    record, units = scored.record, scored.units
    return Side(run, record.dataset["name"], len(record.images), units.kind, units.count)


def _left_out(run: Path, record: RunRecord, kept: RunRecord) -> list[str]:
    """Return phrases that name the models and conditions of a run without a counterpart."""
    models = ", ".join(model.name for model in record.models if model not in kept.models)
    conditions = in_words(conditions_of(record) - conditions_of(kept))
    parts = {"models": models, "conditions": conditions}
    return [f"{what} of {run}: {names}" for what, names in parts.items() if names]
