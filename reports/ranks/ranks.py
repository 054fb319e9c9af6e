"""Do two runs rank models and corruptions alike? Rank correlations, usually of runs on different data.

Two things leave a rank correlation uncertain. The images: both runs are scored on resamples of their own
images and ranked anew on each, which makes its interval. The number of items: p is the share of all their
orders that agree at least as well as the one that was found.

Chance among images hides agreement, and a resample has it twice: intervals of rank correlations lie too low
where items are close. Their low end is safe, their high end may even be below rho (docs/scores.md).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports import tallies
from reports.ranks.counterparts import Pair, counterparts, in_words
from reports.ranks.spearman import FEWEST, orders, p_of_orders, spearman
from reports.run.identity import SET, conditions_of, differences
from reports.run.record import RunRecord
from reports.run.spec import open_spec
from reports.scoring.aggregate import retention
from reports.scoring.model_scores import ScoreKey, model_scores
from reports.scoring.replicates import Replicates, read_replicates
from reports.scoring.resampling import Bootstrap, interval
from reports.tables.results import protocol_of, under_protocol

__all__ = ["Ranks", "Side", "rank", "rank_runs"]

Floats = NDArray[np.float64]
Scores = Mapping[ScoreKey, Floats]

OVERALL = ("clean", "mpc", "rpc")
MATTERS = (SET, "targets")  # what runs should share even where their data differ


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two runs: its folder, its data, and what is resampled, images or clusters of them."""

    run: str
    dataset: str
    images: int
    unit: str
    units: int


@dataclasses.dataclass(frozen=True)
class Ranks:
    """How alike two runs rank.

    `table` has a row per rank correlation: kind, name, how many items are ranked, rho in -1..1 with its
    interval low..high, and p, one-sided. Of kind "models" are those of models, by an overall score or under a
    corruption, where there are three pairs or more; of "corruptions" and "conditions" those by the mIoU of a
    pair; of "mean" the means over the corruptions, or pairs, of each. Conditions have no p: severities order
    them anyhow.

    `models` and `corruptions` are what was ranked, fractions: the scores of each pair, and what is retained
    under each corruption, the mean over pairs. `unlike` says in what the runs differ although they should
    not, `left_out` what only one of them has.
    """

    first: Side
    second: Side
    pairs: tuple[Pair, ...]
    protocol: str
    bootstrap: Bootstrap
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
    confidence: float = 0.95,
) -> Ranks:
    """Compare the ranks in two runs, or in models of runs (RUN:MODEL), of what both have.

    Raises
    ------
    InvalidRun
        If a run cannot be read, or they share no model or no corruption at a severity.
    """
    (run_a, a), (run_b, b) = open_spec(first), open_spec(second)
    if protocol is not None:
        a, b = under_protocol(a, protocol), under_protocol(b, protocol)
    pairs, (kept_a, kept_b) = counterparts(a, b)
    bootstrap = Bootstrap(resamples, confidence)
    return rank(
        read_replicates(run_a, kept_a, bootstrap, tallies.find(kept_a.tallies[0])),
        read_replicates(run_b, kept_b, bootstrap, tallies.find(kept_b.tallies[0])),
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
    """Compare the ranks in two scored runs of just these pairs and of the same conditions, in one order."""
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
        first.bootstrap,
        unlike,
        left_out,
        pd.concat([part.table(units, first.bootstrap) for part in parts], ignore_index=True),
        pd.DataFrame({"model": names} | _overall(a, b)),
        pd.DataFrame({"corruption": corruptions, "first": _retained(a), "second": _retained(b)}),
    )


@dataclasses.dataclass(frozen=True)
class _Correlations:
    """G rank correlations of a kind, of as many items.

    `replicates` (G, R) are on the resamples of images, `reordered` (G, P) by `reports.ranks.spearman.orders`.
    """

    kind: str
    names: Sequence[str]
    items: int
    replicates: Floats
    reordered: Floats

    def mean(self) -> _Correlations:
        """Return their mean as a single one; items are reordered in all of them alike."""
        parts = (part.mean(axis=0, keepdims=True) for part in (self.replicates, self.reordered))
        return _Correlations("mean", [self.kind], self.items, *parts)

    def table(self, units: int, bootstrap: Bootstrap) -> pd.DataFrame:
        """Return their rows of `Ranks.table`."""
        low, high = interval(self.replicates, units, bootstrap)
        columns = {"rho": self.replicates[:, 0], "low": low, "high": high, "p": p_of_orders(self.reordered)}
        return pd.DataFrame({"kind": self.kind, "name": self.names, "items": self.items, **columns})


def _correlate(
    kind: str, names: Sequence[str], first: Floats, second: Floats, *, by_chance: bool = True
) -> _Correlations:
    """Return the rank correlations of items, (G, I, R) in both runs; p only where chance might order them."""
    items = first.shape[1]
    reordered = np.full((len(names), 1), np.nan)
    if by_chance:
        reordered = spearman(first[..., :1], second[..., 0][:, orders(items)])
    return _Correlations(kind, names, items, spearman(first, second), reordered)


def _scores(scored: Replicates) -> Scores:
    """Return the scores of a run's models with replicates, (M, R)."""
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
    """Return the overall scores of models, both runs' side by side."""
    return {
        f"{name}_{side}": scores[ScoreKey("overall", name)][:, 0]
        for name in OVERALL
        for side, scores in (("first", first), ("second", second))
    }


def _retained(scores: Scores) -> Floats:
    """Return the share of the clean mIoU that is kept under each corruption, the mean over models."""
    kept = retention(_stack(scores, "corruption"), scores[ScoreKey("overall", "clean")])
    mean: Floats = kept[..., 0].mean(axis=1)
    return mean


def _side(scored: Replicates, run: str) -> Side:
    record, units = scored.record, scored.units
    return Side(run, record.dataset["name"], len(record.images), units.kind, units.count)


def _left_out(run: Path, record: RunRecord, kept: RunRecord) -> list[str]:
    """Return in words which models and conditions of a run have no counterpart."""
    models = ", ".join(model.name for model in record.models if model not in kept.models)
    conditions = in_words(conditions_of(record) - conditions_of(kept))
    parts = {"models": models, "conditions": conditions}
    return [f"{what} of {run}: {names}" for what, names in parts.items() if names]
