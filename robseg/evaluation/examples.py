"""The gallery of a report: a few images under a few conditions, with the prediction of each model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reports.run.folder import OutFolder
from reports.run.record import Condition, Example
from robseg.datasets.base import Sample
from robseg.evaluation.job import Job
from robseg.evaluation.reading import corrupt_sample
from robseg.evaluation.worker import predictions
from robseg.pictures import write_png

__all__ = ["write_examples"]

FOLDER = "examples"
UNLABELLED = (0, 0, 0)


def write_examples(
    job: Job, indices: Sequence[int], conditions: Sequence[Condition], out: OutFolder
) -> tuple[Example, ...]:
    """Write image, prediction and target of each image x condition x model as PNG files to OUT/examples.

    Earlier examples are replaced. Paths in the result are relative to OUT.
    """
    earlier = {name for name in out.names if name.startswith(f"{FOLDER}/")}
    examples = tuple(_examples(job, indices, conditions, out))
    out.delete(earlier - {name for each in examples for name in (each.image, each.prediction, each.target)})
    return examples


def _examples(
    job: Job, indices: Sequence[int], conditions: Sequence[Condition], out: OutFolder
) -> Iterator[Example]:
    seed, move_targets = job.context.seed, job.context.move_targets
    for index in indices:
        clean = job.dataset.read(index)
        for number, condition in enumerate(conditions):
            sample = corrupt_sample(clean, condition, seed=seed, move_targets=move_targets)
            stem = f"{FOLDER}/{index:05d}_{number:02d}"
            image = _save(out, f"{stem}_image.png", sample.image)
            target = _save(out, f"{stem}_target.png", _colour(sample.target, job.dataset.palette))
            for rank, (name, labels) in enumerate(_predictions(job, sample)):
                prediction = _save(
                    out, f"{stem}_prediction_{rank:02d}.png", _colour(labels, job.dataset.palette)
                )
                yield Example(
                    model=name,
                    corruption=condition.corruption,
                    severity=condition.severity,
                    image_id=sample.id,
                    image=image,
                    prediction=prediction,
                    target=target,
                )


def _predictions(job: Job, sample: Sample) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for name, (prediction,) in predictions(job, [sample], tuple(job.models), []):
        yield name, prediction.labels


def _colour(labels: NDArray[np.uint8], palette: Sequence[tuple[int, int, int]]) -> NDArray[np.uint8]:
    """Return labels (H, W) as an RGB image; labels that are not a class are black."""
    table = np.full((256, 3), UNLABELLED, np.uint8)
    table[: len(palette)] = palette
    return table[labels]


def _save(out: OutFolder, name: str, image: NDArray[np.uint8]) -> str:
    out.reserve([name])
    write_png(out.path / name, Image.fromarray(image))
    return name
