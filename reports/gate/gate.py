"""A gate: check that a run is as good as its baseline, and as good as the rules demand.

Each check compares a value with its limit; it is inconclusive if the interval of the value spans the limit.
The intervals of differences are paired, because both runs are on the same images.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from reports import tallies
from reports.formats.text import partial_sentence
from reports.gate.checks import FAIL, INCONCLUSIVE, PASS, Check, Scores, checks_of, lacking_model
from reports.gate.rules import DEFAULT, Rules
from reports.run.errors import InvalidRun
from reports.run.identity import Difference, conditions_of, differences
from reports.run.record import RunRecord
from reports.run.spec import open_spec
from reports.run.tally import PRIMARY
from reports.sanity import rules as sanity
from reports.sanity.table import table_of_run
from reports.scoring.jackknife import CONFIDENCE
from reports.scoring.model_scores import ModelScore, ScoreKey, model_scores
from reports.tables.results import protocol_of, score

__all__ = ["Gate", "run_gate"]

USUAL_DROP = 1.0  # points that a score may lose against a baseline, if no rule says otherwise


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
    run: str | Path, baseline: str | Path | None, rules: Rules, confidence: float = CONFIDENCE
) -> Gate:
    """Check a run (RUN or RUN:MODEL) against another run, its folder or its file of `robseg baseline save`.

    Raises
    ------
    InvalidRun
        If a run or baseline cannot be read, the two must not be compared, or a rule names no score.
    MissingCounts
        If a run is incomplete.
    """
    folder, record = open_spec(run)
    about = _about(folder, record)
    if baseline is None:
        if rules.need_baseline or not rules.floor:
            raise InvalidRun("Expected --baseline for rules about drops, but got none: name a run or a file.")
        mine = _scores(folder, record, confidence)
        checks = [check for name in mine for check in checks_of(name, mine[name], None, rules, confidence)]
        return _gate(str(run), "", rules, checks, about)
    rules = dataclasses.replace(rules, max_drop={DEFAULT: USUAL_DROP, **rules.max_drop})
    base, other = open_spec(baseline)
    _refuse([unlike for unlike in differences(other, record) if unlike.what != "conditions"])
    here = conditions_of(record)
    kept = tuple(c for c in other.conditions if (c.corruption, c.severity) in here)
    if not kept:
        raise InvalidRun(
            "Expected the run to have conditions of the baseline, but it has none: evaluate both with the "
            "same options."
        )
    mine = _scores(folder, dataclasses.replace(record, conditions=kept), confidence)
    # The order of images is the run's, so that both have the same units.
    aligned = dataclasses.replace(other, images=record.images, clusters=record.clusters)
    theirs = _scores(base, aligned, confidence)
    missing = frozenset(c for c in other.conditions if c not in kept)
    pairs = _pairs(theirs, mine)
    checks = [
        check
        for old, new in pairs
        for check in (
            [lacking_model(old)]
            if new is None
            else checks_of(
                new,
                mine[new],
                theirs[old],
                rules,
                confidence,
                missing,
                same_weights=_weights(record, new) == _weights(other, old),
            )
        )
    ]
    unpaired = [name for name in mine if name not in {new for _, new in pairs}]
    notes = about + _notes(rules, len(here) - len(kept), unpaired)
    return _gate(str(run), str(baseline), rules, checks, notes)


def _weights(record: RunRecord, model: str) -> str:
    return next(one.sha256 for one in record.models if one.name == model)


def _scores(folder: Path, record: RunRecord, confidence: float) -> Mapping[str, Scores]:
    """Return the scores of each model of a run by all of its tallies."""
    found: dict[str, dict[ScoreKey, ModelScore]] = {model.name: {} for model in record.models}
    for scored in score(folder, record, confidence, classes=True):
        for place, model in enumerate(record.models):
            found[model.name] |= model_scores(scored, place, protocol_of(record))
    return found


def _refuse(unlike: Sequence[Difference]) -> None:
    if unlike:
        raise InvalidRun(
            f"Expected a baseline and a run that can be compared, but they differ in "
            f"{'; '.join(map(str, unlike))}: evaluate both with the same options, or save a new baseline."
        )


def _pairs(theirs: Mapping[str, Scores], mine: Mapping[str, Scores]) -> list[tuple[str, str | None]]:
    """Pair each model of the baseline with the run's model of that name; two single models are a pair."""
    if len(theirs) == len(mine) == 1:
        return [(next(iter(theirs)), next(iter(mine)))]
    return [(name, name if name in mine else None) for name in theirs]


def _about(folder: Path, record: RunRecord) -> list[str]:
    """Return sentences on what a run is based on, and what looks wrong in it."""
    warnings = sanity.check(table_of_run(folder, record, tallies.find(PRIMARY)))
    return [*filter(None, [partial_sentence(record)]), *map(str, warnings)]


def _notes(rules: Rules, extra: int, unpaired: Sequence[str]) -> list[str]:
    notes = [
        "The intervals of drops are paired, because both runs are on the same images."
        if rules.intervals
        else "Scores are judged on these images alone, without intervals for other images."
    ]
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
