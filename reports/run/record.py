"""The record of a run, run.json: written by `robseg evaluate`, read by reports.

Layout of a run's folder::

    run.json                the request, its models and data, and the versions of all software
    counts/*.parquet        the primary tally, a row per model x corruption x severity x image
    counts/TALLY/*.parquet  every further tally, in the same layout
    examples/*.png          the images of the gallery, see Example
    scores.csv classes.csv summary.csv report.html     the results, written by this package
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from reports.run.errors import InvalidRun
from reports.run.files import contents, holds_run
from reports.run.tally import PRIMARY

__all__ = [
    "CLEAN",
    "DATASET_KEYS",
    "SCHEMA_VERSION",
    "Condition",
    "Example",
    "ModelRecord",
    "RunRecord",
]

SCHEMA_VERSION = 2
CLEAN = "clean"
DATASET_KEYS = ("name", "split", "fingerprint", "class_names", "palette", "citation")


@dataclasses.dataclass(frozen=True, order=True)
class Condition:
    """One corruption at one severity; the clean condition is Condition("clean", 0, "clean")."""

    corruption: str
    severity: int
    group: str


@dataclasses.dataclass(frozen=True)
class ModelRecord:
    """One model of a run: its name in the tables, its card, its weights' SHA-256, and its cost.

    `parameters` and `gmacs` are None where they cannot be counted. `ms_per_image` is the median time for a
    single image, measured alone in one thread of the CPU or on the run's device, and `ms_range` the shortest
    and the longest time; runs whose times are those of a busy machine have None there. `facts` says in words
    how a model was changed, for example by which SegFix its labels were refined.
    """

    name: str
    card: dict[str, Any]
    sha256: str
    parameters: int | None
    gmacs: float | None = None
    ms_per_image: float | None = None
    ms_range: tuple[float, float] | None = None
    facts: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Example:
    """One image of the gallery. The paths of its three files are relative to the run's folder.

    `image` is the (corrupted) image that the model saw, RGB. `prediction` and `target` are either grey 8-bit
    files of class ids (255: ignored), which the report colours with the data set's palette, or coloured
    files. For a clean image, corruption is CLEAN and severity is 0.
    """

    model: str
    corruption: str
    severity: int
    image_id: str
    image: str
    prediction: str
    target: str


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """The content of run.json. `dataset` has name, split, fingerprint, class_names, palette and citation.

    `clusters` names the block of images that each image belongs to; intervals then resample blocks. If it is
    empty, they resample images. `set_versions` maps corruption sets to their versions. `tallies` names the
    tallies that were counted, the primary one first.
    """

    command: str
    dataset: dict[str, Any]
    images: tuple[str, ...]
    conditions: tuple[Condition, ...]
    models: tuple[ModelRecord, ...]
    protocol: str
    seed: int
    set_versions: dict[str, str]
    move_targets: bool
    device: str
    precision: str
    batch_size: int
    versions: dict[str, str]
    created: str
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    clusters: tuple[str, ...] = ()
    tallies: tuple[str, ...] = (PRIMARY,)
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Return the record as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, run: Path) -> RunRecord:
        """Read the run.json of a run's folder or ZIP file.

        Raises
        ------
        InvalidRun
            If run.json does not exist, is damaged, or has another schema version.
        """
        path = run / "run.json"
        if not holds_run(run):
            raise InvalidRun(f"Expected a run of `robseg evaluate`, but {path} does not exist.")
        try:
            raw = json.loads((contents(run) / "run.json").read_text(encoding="utf-8"))
            if raw["schema_version"] != SCHEMA_VERSION:
                raise InvalidRun(
                    f"Expected schema version {SCHEMA_VERSION} in {path}, but got {raw['schema_version']}: "
                    "report on it with the robseg that wrote it, or evaluate again."
                )
            record = cls(
                **{
                    **raw,
                    "images": tuple(raw["images"]),
                    "conditions": tuple(Condition(**c) for c in raw["conditions"]),
                    "models": tuple(ModelRecord(**m) for m in raw["models"]),
                    "examples": tuple(Example(**e) for e in raw["examples"]),
                    "clusters": tuple(raw["clusters"]),
                    "tallies": tuple(raw["tallies"]),
                }
            )
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise InvalidRun(
                f"Expected {path} to be a run record, but it is damaged ({error!r}): evaluate again."
            ) from error
        _check(record, path)
        return record


def _check(record: RunRecord, path: Path) -> None:
    """Raise InvalidRun unless the data set is described in full and every axis has distinct names."""
    missing = [key for key in DATASET_KEYS if key not in record.dataset]
    if missing:
        raise InvalidRun(f"Expected `dataset` in {path}, but it lacks {', '.join(missing)}: evaluate again.")
    if record.clusters and len(record.clusters) != len(record.images):
        raise InvalidRun(
            f"Expected `clusters` in {path} to name one for each of {len(record.images)} images, but got "
            f"{len(record.clusters)}: evaluate again."
        )
    axes = {
        "images": record.images,
        "conditions": [(c.corruption, c.severity) for c in record.conditions],
        "models": [m.name for m in record.models],
        "tallies": record.tallies,
        "class_names": record.dataset["class_names"],
    }
    if record.tallies[:1] != (PRIMARY,):
        raise InvalidRun(
            f"Expected `tallies` in {path} to start with {PRIMARY}, but got {', '.join(record.tallies)}: "
            "evaluate again."
        )
    for name, values in axes.items():
        if not values or len(set(values)) != len(values):
            raise InvalidRun(
                f"Expected distinct `{name}` in {path}, but got none or repeated ones: evaluate again."
            )
