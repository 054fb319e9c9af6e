"""The schema of a run on disk: run.json and counts/*.parquet, written by `robseg evaluate`, read by reports.

Layout of a run's folder (DESIGN 3.5)::

    run.json            RunRecord: what was asked, of which model and data, with which versions
    counts/*.parquet    one row per model x corruption x severity x image (COUNTS)
    boundaries/*.parquet    the same near boundaries, also by region (BOUNDARY_COUNTS), where asked for
    examples/*.png      a few images, see Example
    scores.csv classes.csv summary.csv report.html     written by this package

`reports.run.counts` reads and checks counts/; this module alone is what evaluation needs to know of reports.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

__all__ = [
    "BOUNDARY",
    "BOUNDARY_COUNTS",
    "CLEAN",
    "COUNTS",
    "SCHEMA_VERSION",
    "TRIMAP",
    "WHOLE",
    "Condition",
    "Example",
    "InvalidRun",
    "MissingCounts",
    "ModelRecord",
    "RunRecord",
    "folder_of",
    "region_name",
    "regions_at",
]

SCHEMA_VERSION = 1
CLEAN = "clean"
DATASET_KEYS = ("name", "split", "fingerprint", "class_names", "palette", "citation")

COUNTS = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("corruption", pa.string(), nullable=False),  # CLEAN for the uncorrupted image
        pa.field("severity", pa.int8(), nullable=False),  # 0 for the uncorrupted image
        pa.field("image", pa.string(), nullable=False),
        # By class of the data set, over the pixels whose target is not ignored. A prediction that is none of
        # the data set's classes is a false negative of the target's class and a false positive of none.
        pa.field("tp", pa.list_(pa.int64()), nullable=False),
        pa.field("fp", pa.list_(pa.int64()), nullable=False),
        pa.field("fn", pa.list_(pa.int64()), nullable=False),
    ]
)

# What part of the images counts are of: all of it, or what is near boundaries, at a width in pixels.
WHOLE = ""
TRIMAP = "trimap"  # the pixels near a boundary of the target
BOUNDARY = "boundary"  # the inner bands of classes, in target and prediction: tp lie in both

BOUNDARY_COUNTS = COUNTS.insert(4, pa.field("region", pa.string(), nullable=False))  # such as trimap-2


def region_name(kind: str, width: int) -> str:
    """Return what a region is called: trimap-2."""
    return f"{kind}-{width}"


def regions_at(widths: Iterable[int]) -> tuple[str, ...]:
    """Return the regions that are counted for boundaries of some widths.

    Examples
    --------
    >>> regions_at([2])
    ('trimap-2', 'boundary-2')
    """
    return tuple(region_name(kind, width) for width in widths for kind in (TRIMAP, BOUNDARY))


def folder_of(region: str) -> str:
    """Return the folder of a run that holds the counts of a region."""
    return "counts" if region == WHOLE else "boundaries"


class InvalidRun(ValueError):
    """A run's folder is not what it should be: expected, found, what to do."""


class MissingCounts(InvalidRun):
    """A run has not ended: predictions are missing."""


@dataclasses.dataclass(frozen=True, order=True)
class Condition:
    """One corruption at one severity; the clean condition is Condition("clean", 0, "clean")."""

    corruption: str
    severity: int
    group: str


@dataclasses.dataclass(frozen=True)
class ModelRecord:
    """One model of a run: its name in the tables, the facts of its card, its weights' SHA-256, its cost.

    `parameters` and `gmacs` are None where they cannot be counted. `refines` is the model whose labels are
    refined here, "" where none are; the costs are then of both together.
    """

    name: str
    card: dict[str, Any]
    sha256: str
    parameters: int | None
    gmacs: float | None = None
    ms_per_image: float | None = None
    refines: str = ""


@dataclasses.dataclass(frozen=True)
class Example:
    """One image of the gallery; its three files lie below the run's folder, named relative to it.

    `image` is the (corrupted) image that the model saw, RGB. `prediction` and `target` are either grey 8-bit
    files of class ids (255: ignored), which the report colours with the data set's palette, or already
    coloured. The clean image has corruption CLEAN and severity 0.
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

    `clusters` names, for each image, the block of images that it belongs with (none: every image stands for
    itself); intervals then resample blocks. `refinement` tells how labels were refined: method, by what,
    sha256, scale, and where the offsets came from. `boundaries` are the widths in pixels at which boundaries
    were counted.
    """

    command: str
    dataset: dict[str, Any]
    images: tuple[str, ...]
    conditions: tuple[Condition, ...]
    models: tuple[ModelRecord, ...]
    protocol: str
    seed: int
    set_version: str
    move_targets: bool
    device: str
    precision: str
    batch_size: int
    versions: dict[str, str]
    created: str
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    clusters: tuple[str, ...] = ()
    refinement: dict[str, Any] | None = None
    boundaries: tuple[int, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Return the record as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, run: Path) -> RunRecord:
        """Read RUN/run.json.

        Raises
        ------
        InvalidRun
            If there is no run.json, or it is not one that this version wrote.
        """
        path = run / "run.json"
        if not path.is_file():
            raise InvalidRun(f"Expected a run of `robseg evaluate`, but {path} does not exist.")
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
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
                    "clusters": tuple(raw.get("clusters", ())),
                    "boundaries": tuple(raw.get("boundaries", ())),
                }
            )
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise InvalidRun(
                f"Expected {path} to be a run record, but it is damaged ({error!r}): evaluate again."
            ) from error
        _check(record, path)
        return record


def _check(record: RunRecord, path: Path) -> None:
    """Raise InvalidRun unless the record describes a grid: known data set, no row or column named twice."""
    missing = [key for key in DATASET_KEYS if key not in record.dataset]
    if missing:
        raise InvalidRun(f"Expected `dataset` in {path} to have {', '.join(missing)}: evaluate again.")
    if record.clusters and len(record.clusters) != len(record.images):
        raise InvalidRun(
            f"Expected `clusters` in {path} to be one for each of {len(record.images)} images, but got "
            f"{len(record.clusters)}: evaluate again."
        )
    axes = {
        "images": record.images,
        "conditions": [(c.corruption, c.severity) for c in record.conditions],
        "models": [m.name for m in record.models],
        "class_names": record.dataset["class_names"],
    }
    for name, values in axes.items():
        if not values or len(set(values)) != len(values):
            raise InvalidRun(f"Expected `{name}` in {path} to be distinct and not empty: evaluate again.")
