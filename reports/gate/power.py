"""How many images are needed to see a drop, estimated from the spread of scores over a run's images."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from scipy.special import ndtri

from reports import tallies
from reports.formats.documents import Document, Table
from reports.run.errors import InvalidRun
from reports.run.identity import differences
from reports.run.spec import open_spec
from reports.run.tally import PRIMARY
from reports.scoring.jackknife import CONFIDENCE, FEWEST, standard_error
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
    run: str | Path,
    drops: Sequence[float],
    confidence: float = CONFIDENCE,
    power: float = 0.8,
    earlier: str | Path | None = None,
) -> Document:
    """Return, for the first model of a run, how many images show drops (fractions) of its scores.

    The spread is that of the paired difference to the first model of an `earlier` run on the same images.
    Without one, the other run is assumed to vary as much as this one, unpaired. This gives an upper bound,
    because two versions of a model mostly err on the same images.

    Raises
    ------
    InvalidRun
        If a run cannot be read, or the two cannot be compared.
    """
    folder, record = open_spec(run)
    record = dataclasses.replace(record, models=record.models[:1])
    tally = tallies.find(PRIMARY)
    scored = read_replicates(folder, record, tally, confidence)
    other = None
    if earlier is not None:
        place, its = open_spec(earlier)
        if unlike := differences(record, its):
            raise InvalidRun(
                f"Expected two runs that can be compared, but they differ in {'; '.join(map(str, unlike))}: "
                "evaluate both with the same options."
            )
        # The order of images and conditions is the first run's, so that the units are the same.
        aligned = dataclasses.replace(
            its,
            models=its.models[:1],
            images=record.images,
            clusters=record.clusters,
            conditions=record.conditions,
        )
        other = read_replicates(place, aligned, tally, confidence)
    needs = [_need(scored, key, error, drops, power) for key, error in _shown(scored, other)]
    return power_document(scored, needs, drops, power, paired=other is not None)


def _shown(scored: Replicates, other: Replicates | None) -> list[tuple[ScoreKey, float]]:
    """Return each score and the standard error of its difference between two runs, if it is defined."""
    protocol = protocol_of(scored.record)
    found = model_scores(scored, 0, protocol)
    if other is None:
        errors = {key: math.sqrt(2) * standard_error(score.replicates) for key, score in found.items()}
    else:
        before = model_scores(other, 0, protocol)
        errors = {
            key: standard_error(score.replicates - before[key].replicates) for key, score in found.items()
        }
    return [
        (key, float(error))
        for key, error in errors.items()
        if key.kind in SHOWN and key.name != "rpc" and scored.units.count >= FEWEST and error == error
    ]


def _need(scored: Replicates, key: ScoreKey, error: float, drops: Sequence[float], power: float) -> Need:
    confidence, images = scored.confidence, len(scored.record.images)
    reach = ndtri(0.5 + confidence / 2) + ndtri(power)
    needed = tuple(images_needed(error, images, drop, confidence, power) for drop in drops)
    return Need(key, float(reach * error), needed)


def power_document(
    scored: Replicates, needs: Sequence[Need], drops: Sequence[float], power: float, *, paired: bool = False
) -> Document:
    """Return the images needed as a document."""
    record, level = scored.record, 100 * scored.confidence
    lines = (
        f"{record.models[0].name} on {len(record.images)} images of {record.dataset['name']}, from "
        f"the spread over {scored.units.count} {scored.units.kind}s.",
        f"With these images, a two-sided test at {level:g} % confidence shows a drop with probability "
        f"{power:g}. "
        + (
            "The spread is that of the difference of the two runs."
            if paired
            else "The numbers are upper bounds. With an earlier run on the same images, they are those of "
            "the paired difference."
        ),
    )
    header = ("", "smallest visible drop, points", *(f"images for {100 * drop:g} points" for drop in drops))
    rows = tuple(
        (str(need.key), f"{100 * need.visible:.2f}", *(f"{number:,}" for number in need.images))
        for need in needs
    )
    if not needs:
        lines = (lines[0], f"There are too few images for an interval: it takes {FEWEST}.")
    return Document(
        "Images needed to see a drop", (), lines, (Table("By score", header, rows),) if rows else ()
    )
