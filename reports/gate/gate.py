"""A gate: check that a run is as good as its baseline, and as good as the rules demand.

Each check compares a value with its limit; it is inconclusive if the interval of the value spans the limit.
If the baseline is a run, intervals are paired (same images, same resamples). A baseline file has no counts,
so the intervals of the two models are combined as if they came from different images (MOVER: Zou & Donner,
Statistics in Medicine 2008), which gives wider intervals than necessary.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from reports.gate.baseline import Baseline, ModelBaseline, baseline_of, load_baseline
from reports.gate.checks import FAIL, INCONCLUSIVE, PASS, Check, checks_of, lacking_model
from reports.gate.rules import Rules
from reports.run.errors import InvalidRun
from reports.run.identity import Difference, conditions_of, differences
from reports.run.record import RunRecord
from reports.run.spec import open_spec, split_spec
from reports.scoring.resampling import Bootstrap
from reports.tables.results import score

__all__ = ["Gate", "run_gate"]


@dataclasses.dataclass(frozen=True)
class Gate:
    """The verdict on a run. A gate that is not strict passes if it is inconclusive. `notes` are sentences."""

    run: str
    baseline: str
    verdict: str
    passed: bool
    strict: bool
    notes: tuple[str, ...]
    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        return f"Gate of {self.run}: {self.verdict}, {len(self.checks)} checks"


def run_gate(
    run: str | Path, baseline: str | Path | None, rules: Rules, bootstrap: Bootstrap | None = None
) -> Gate:
    """Check a run (RUN or RUN:MODEL) against a baseline (a run, or the file of `robseg baseline save`).

    Raises
    ------
    InvalidRun
        If a run or baseline cannot be read, the two must not be compared, or a rule names no score.
    MissingCounts
        If a run is incomplete.
    """
    bootstrap = bootstrap or Bootstrap()
    folder, record = open_spec(run)
    if baseline is None:
        if rules.need_baseline:
            raise InvalidRun("Expected --baseline for rules about drops, but got none: name a run or a file.")
        mine = baseline_of(score(folder, record, bootstrap, classes=True))
        checks = [check for model in mine.models for check in checks_of(model, None, rules, bootstrap)]
        return _gate(str(run), "", rules, checks, [])
    theirs = _open_baseline(baseline, record, bootstrap)
    here = conditions_of(record)
    kept = tuple(c for c in theirs.conditions if (c.corruption, c.severity) in here)
    if not kept:
        raise InvalidRun(
            "Expected the run to have conditions of the baseline, but it has none: evaluate both with the "
            "same options."
        )
    same = dataclasses.replace(record, conditions=kept)
    mine = baseline_of(score(folder, same, bootstrap, classes=True))
    missing = frozenset(c for c in theirs.conditions if c not in kept)
    checks = [
        check
        for old, new in _pairs(theirs, mine)
        for check in (
            [lacking_model(old.name)] if new is None else checks_of(new, old, rules, bootstrap, missing)
        )
    ]
    paired = {new.name for _, new in _pairs(theirs, mine) if new is not None}
    unpaired = [model.name for model in mine.models if model.name not in paired]
    notes = _notes(theirs, rules, len(here) - len(kept), unpaired)
    return _gate(str(run), str(baseline), rules, checks, notes)


def _open_baseline(baseline: str | Path, record: RunRecord, bootstrap: Bootstrap) -> Baseline:
    """Return the baseline, after a check that the run may be compared with it."""
    if split_spec(str(baseline))[0] is None:
        theirs = load_baseline(Path(baseline))
        _refuse(theirs.differences(record))
        if theirs.confidence != bootstrap.confidence:
            raise InvalidRun(
                f"Expected {baseline} to have intervals at confidence level {bootstrap.confidence:g}, but it "
                f"has {theirs.confidence:g}: use --confidence {theirs.confidence:g}, or save it again."
            )
        return theirs
    folder, other = open_spec(baseline)
    _refuse([unlike for unlike in differences(other, record) if unlike.what != "conditions"])
    # The order of images is the run's, so that both have the same resamples.
    aligned = dataclasses.replace(other, images=record.images, clusters=record.clusters)
    return baseline_of(score(folder, aligned, bootstrap, classes=True))


def _refuse(unlike: Sequence[Difference]) -> None:
    if unlike:
        raise InvalidRun(
            f"Expected a baseline and a run that can be compared, but they differ in "
            f"{'; '.join(map(str, unlike))}: evaluate both with the same options, or save a new baseline."
        )


def _pairs(theirs: Baseline, mine: Baseline) -> list[tuple[ModelBaseline, ModelBaseline | None]]:
    """Pair each model of the baseline with the run's model of that name; two single models are a pair."""
    if len(theirs.models) == len(mine.models) == 1:
        return [(theirs.models[0], mine.models[0])]
    by_name = {model.name: model for model in mine.models}
    return [(old, by_name.get(old.name)) for old in theirs.models]


def _notes(theirs: Baseline, rules: Rules, extra: int, unpaired: Sequence[str]) -> list[str]:
    notes = []
    if not rules.intervals:
        notes.append("Scores are judged on these images alone, without intervals for other images.")
    elif any(model.replicates is None for model in theirs.models):
        notes.append(
            "The baseline is a file without counts, so intervals are not paired: those of the run and of the "
            "file are combined, which makes them wider. For paired intervals, give the run as the baseline."
        )
    else:
        notes.append(
            "The intervals of drops are paired: both runs are scored on the same resamples of images."
        )
    if extra:
        notes.append(f"The run has {extra} conditions that the baseline lacks; they are left out.")
    if unpaired:
        notes.append(f"Models that the baseline lacks were not checked: {', '.join(unpaired)}.")
    return notes


def _gate(run: str, baseline: str, rules: Rules, checks: Sequence[Check], notes: list[str]) -> Gate:
    """Return the verdict of all checks; without any check, the gate fails."""
    found = {check.verdict for check in checks}
    verdict = FAIL if FAIL in found or not checks else INCONCLUSIVE if INCONCLUSIVE in found else PASS
    if not checks:
        notes = [*notes, "Nothing was compared."]
    passed = verdict == PASS or (verdict == INCONCLUSIVE and not rules.strict)
    return Gate(run, baseline, verdict, passed, rules.strict, tuple(notes), tuple(checks))
