"""Baselines: the earlier scores that a gate compares a run with, from a run or a small committed file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from reports.run.errors import InvalidRun
from reports.run.identity import Difference, identity, unlike
from reports.run.record import Condition, RunRecord
from reports.scoring.model_scores import ModelScore, ScoreKey, model_scores
from reports.scoring.replicates import Replicates
from reports.scoring.resampling import interval
from reports.tables.results import protocol_of

__all__ = [
    "Baseline",
    "Estimate",
    "ModelBaseline",
    "baseline_json",
    "baseline_of",
    "images_digest",
    "load_baseline",
]

FORMAT = "robseg-baseline"
VERSION = 2


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A score with its interval; undefined values are NaN."""

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class ModelBaseline:
    """The scores of one model, resampled over `units` images or clusters.

    A baseline file has no counts, so `replicates` is None and `units` 0.
    """

    name: str
    sha256: str
    scores: Mapping[ScoreKey, Estimate]
    replicates: Mapping[ScoreKey, ModelScore] | None = None
    units: int = 0


@dataclasses.dataclass(frozen=True)
class Baseline:
    """The scores of an earlier run, and the facts in which a run must agree to be compared with them.

    `confidence` is the level of the scores' intervals.
    """

    identity: Mapping[str, str]
    images: int
    images_digest: str
    conditions: tuple[Condition, ...]
    models: tuple[ModelBaseline, ...]
    confidence: float

    def differences(self, record: RunRecord) -> list[Difference]:
        """Return the differences between a run and the baseline that forbid comparing them."""
        found = unlike(self.identity, identity(record))
        if self.images_digest != images_digest(record):
            found.append(Difference("images", f"{self.images}", f"{len(record.images)} others"))
        return found


def images_digest(record: RunRecord) -> str:
    """Return a digest of the names of a run's images that does not depend on their order."""
    return hashlib.blake2b(json.dumps(sorted(record.images)).encode(), digest_size=16).hexdigest()


def baseline_of(scored: Sequence[Replicates]) -> Baseline:
    """Return a baseline with replicates from a run's scores by each tally, the primary one first."""
    record = scored[0].record
    models = []
    for place, model in enumerate(record.models):
        scores: dict[ScoreKey, Estimate] = {}
        replicates: dict[ScoreKey, ModelScore] = {}
        for one in scored:
            found = model_scores(one, place, protocol_of(record))
            low, high = interval(
                np.array([score.replicates for score in found.values()]), one.units.count, one.bootstrap
            )
            replicates |= found
            scores |= {
                key: Estimate(float(score.replicates[0]), float(low[row]), float(high[row]))
                for row, (key, score) in enumerate(found.items())
            }
        models.append(ModelBaseline(model.name, model.sha256, scores, replicates, scored[0].units.count))
    return Baseline(
        identity(record),
        len(record.images),
        images_digest(record),
        record.conditions,
        tuple(models),
        scored[0].bootstrap.confidence,
    )


def baseline_json(scored: Sequence[Replicates]) -> str:
    """Return the text of a baseline file for a scored run: its identity, scores and intervals, no counts."""
    baseline, first = baseline_of(scored), scored[0]
    versions = first.record.versions
    content = {
        "format": FORMAT,
        "version": VERSION,
        "identity": dict(baseline.identity),
        "images": baseline.images,
        "images_digest": baseline.images_digest,
        "versions": {name: version for name, version in versions.items() if name in ("robseg", "torch")},
        "bootstrap": {
            **dataclasses.asdict(first.bootstrap),
            "unit": first.units.kind,
            "units": first.units.count,
        },
        "conditions": [dataclasses.astuple(condition) for condition in baseline.conditions],
        "models": {model.name: _model_json(model) for model in baseline.models},
    }
    return _lines(content) + "\n"


def _lines(value: object, indent: str = "") -> str:
    """Return JSON with a line for each entry of a mapping, so that diffs of committed files read well."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + " "
    entries = [
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {_lines(v, inner)}" for key, v in value.items()
    ]
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def _model_json(model: ModelBaseline) -> dict[str, object]:
    scores: dict[str, dict[str, list[float | None]]] = {}
    for key, score in model.scores.items():
        ends = [None if math.isnan(x) else round(x, 6) for x in (score.value, score.low, score.high)]
        scores.setdefault(key.prefix + key.kind, {})[key.name] = ends
    return {"sha256": model.sha256, "scores": scores}


def load_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises
    ------
    InvalidRun
        If the file is not a baseline, or has a version that this program does not read.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT or raw["version"] != VERSION:
            raise InvalidRun(
                f"Expected {path} to be a baseline of version {VERSION}, but its format or version differs: "
                "write it again with `robseg baseline save RUN`."
            )
        return Baseline(
            identity={str(key): str(value) for key, value in raw["identity"].items()},
            images=int(raw["images"]),
            images_digest=str(raw["images_digest"]),
            conditions=tuple(Condition(str(c), int(s), str(g)) for c, s, g in raw["conditions"]),
            models=tuple(_read_model(name, model) for name, model in raw["models"].items()),
            confidence=float(raw["bootstrap"]["confidence"]),
        )
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InvalidRun):
            raise
        raise InvalidRun(
            f"Expected {path} to be the folder of a run or a baseline file, but it cannot be read as either "
            f"({type(error).__name__}): write it with `robseg baseline save RUN`."
        ) from error


def _read_model(name: str, raw: dict[str, dict[str, dict[str, list[float | None]]]]) -> ModelBaseline:
    scores = {}
    for place, by_name in raw["scores"].items():
        prefix, slash, kind = place.rpartition("/")
        for of, ends in by_name.items():
            key = ScoreKey(kind, of, prefix + slash)
            scores[key] = Estimate(*(math.nan if end is None else float(end) for end in ends))
    return ModelBaseline(name, str(raw["sha256"]), scores)
