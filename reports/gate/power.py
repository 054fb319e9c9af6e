"""How many images are needed to see a drop, estimated from the spread of a run's scores over resamples."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from scipy.special import ndtri

from reports import tallies
from reports.formats.documents import Document, Table
from reports.run.spec import open_spec
from reports.run.tally import PRIMARY
from reports.scoring.jackknife import CONFIDENCE, standard_error
from reports.scoring.model_scores import ScoreKey, model_scores
from reports.scoring.replicates import Replicates, read_replicates
from reports.tables.results import protocol_of

__all__ = ["Need", "detectable_drops", "images_needed", "power_document"]

SHOWN = ("overall", "group", "corruption")


@dataclasses.dataclass(frozen=True)
class Need:
    """The images needed to see a drop of one score.

    `visible` is the smallest drop, a fraction, that the run's own images show; `images` is the number of
    images needed for each drop asked for.
    """

    key: ScoreKey
    visible: float
    images: tuple[int, ...]


def images_needed(error: float, images: int, drop: float, confidence: float, power: float) -> int:
    """Return how many images show a drop, if `error` is the standard error of the difference on `images`.

    The error falls with the square root of the number of images; the test is two-sided at 1 - confidence.

    Examples
    --------
    >>> images_needed(0.01, 100, 0.028, 0.95, 0.8)
    101
    """
    reach = float(ndtri(0.5 + confidence / 2) + ndtri(power))
    return max(2, math.ceil(images * (reach * error / drop) ** 2 - 1e-9))


def detectable_drops(
    run: str | Path, drops: Sequence[float], confidence: float = CONFIDENCE, power: float = 0.8
) -> Document:
    """Return, for the first model of a run, how many images show drops (fractions) of its scores.

    The other run is assumed to vary as much as this one and to be unpaired. This gives an upper bound,
    because two versions of a model mostly err on the same images.
    """
    folder, record = open_spec(run)
    record = dataclasses.replace(record, models=record.models[:1])
    scored = read_replicates(folder, record, tallies.find(PRIMARY), confidence)
    return power_document(
        scored, [_need(scored, m, v, drops, power) for m, v in _shown(scored)], drops, power
    )


def _shown(scored: Replicates) -> list[tuple[ScoreKey, float]]:
    """Return each score and the standard error of its difference between two runs, if it is defined."""
    found = model_scores(scored, 0, protocol_of(scored.record))
    errors = [
        (key, math.sqrt(2) * float(standard_error(score.replicates)))
        for key, score in found.items()
        if key.kind in SHOWN and key.name != "rpc"
    ]
    return [(key, error) for key, error in errors if scored.units.count > 1 and error == error]


def _need(scored: Replicates, key: ScoreKey, error: float, drops: Sequence[float], power: float) -> Need:
    confidence, images = scored.confidence, len(scored.record.images)
    reach = ndtri(0.5 + confidence / 2) + ndtri(power)
    needed = tuple(images_needed(error, images, drop, confidence, power) for drop in drops)
    return Need(key, float(reach * error), needed)


def power_document(
    scored: Replicates, needs: Sequence[Need], drops: Sequence[float], power: float
) -> Document:
    """Return the images needed as a document."""
    record, level = scored.record, 100 * scored.confidence
    lines = (
        f"{record.models[0].name} on {len(record.images)} images of {record.dataset['name']}, from "
        f"the spread over {scored.units.count} {scored.units.kind}s.",
        f"With these images, a two-sided test at {level:g} % confidence shows a drop with probability "
        f"{power:g}. The numbers are for a gate against a baseline file, whose intervals are not paired; "
        "a gate against a run needs fewer images.",
    )
    header = ("", "smallest visible drop, points", *(f"images for {100 * drop:g} points" for drop in drops))
    rows = tuple(
        (str(need.key), f"{100 * need.visible:.2f}", *(f"{number:,}" for number in need.images))
        for need in needs
    )
    if not needs:
        lines = (lines[0], "There are too few images for an interval.")
    return Document(
        "Images needed to see a drop", (), lines, (Table("By score", header, rows),) if rows else ()
    )
