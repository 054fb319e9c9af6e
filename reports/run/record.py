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
from typing import Annotated, Any, NotRequired, TypedDict

from reports.run.context import Context
from reports.run.errors import InputError, InvalidRun
from reports.run.files import DAMAGE, contents, holds_run
from reports.run.parse import from_json
from reports.run.tally import PRIMARY
from reports.run.typed import Range, shown, typed

__all__ = [
    "CLEAN",
    "SCHEMA_VERSION",
    "Call",
    "CardFacts",
    "Condition",
    "DatasetFacts",
    "Example",
    "ModelRecord",
    "RunRecord",
]

SCHEMA_VERSION = 2
CLEAN = "clean"

BYTE = Range(least=0, most=255)
SEVERITIES = Range(least=0, most=127)  # counts keep them in a byte


class DatasetFacts(TypedDict):
    """What a run says about its data set.

    `total` is its number of images if the run is on a part of it. `class_map` says what outputs of models and
    classes of the data set count as, and which are ignored, if `class_names` are not the data set's own.
    """

    name: str
    split: str
    fingerprint: str
    class_names: tuple[str, ...]
    palette: Annotated[tuple[tuple[int, int, int], ...], BYTE]
    citation: str
    total: NotRequired[int]
    class_map: NotRequired[dict[str, Any]]


class CardFacts(TypedDict, total=False):
    """What reports show of a model's card, which has more."""

    architecture: str
    backbone: str
    class_names: tuple[str, ...]
    trained_on: str
    seen_corruptions: tuple[str, ...]
    source: str
    licence: str
    published_miou: float | None
    published_precision: str


@dataclasses.dataclass(frozen=True, order=True)
class Condition:
    """One corruption at one severity; the clean condition is Condition("clean", 0, "clean")."""

    corruption: str
    severity: Annotated[int, SEVERITIES]
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
    card: Annotated[dict[str, Any], CardFacts]
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
    severity: Annotated[int, SEVERITIES]
    image_id: str
    image: str
    prediction: str
    target: str


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of `robseg evaluate` that worked on a run."""

    command: str
    created: str
    versions: dict[str, str]
    batch_size: int


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """The content of run.json.

    `clusters` names the block of images that each image belongs to; intervals then resample blocks. If it is
    empty, they resample images. `set_versions` maps corruption sets to their versions. `tallies` names the
    tallies that were counted, the primary one first. `context` is what all counts depend on, None if the run
    does not say so. `parts` is in how many parts the latest call shared out the work, 0 if it did not.
    `history` has the calls of `robseg evaluate` that worked on the run, the latest one last.
    """

    command: str
    dataset: Annotated[dict[str, Any], DatasetFacts]
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
    context: Context | None = None
    parts: int = 0
    history: tuple[Call, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Return the record as indented JSON.

        Raises
        ------
        InputError
            If it has text that UTF-8 cannot hold, such as the name of an image file in another encoding.
        """
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"
        try:
            text.encode()
        except UnicodeEncodeError as error:
            wrong = text[: error.end].splitlines()[-1].strip()
            raise InputError(
                f"Expected names that UTF-8 can hold, but got {shown(wrong)}: rename the file or folder."
            ) from error
        return text

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
            raw = from_json((contents(run) / "run.json").read_bytes())
        except DAMAGE as error:
            reason = str(error) or type(error).__name__
            raise InvalidRun(
                f"Expected {path} to be a run record, but it is damaged ({reason}): evaluate again."
            ) from error
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if version != SCHEMA_VERSION:
            raise InvalidRun(
                f"Expected schema version {SCHEMA_VERSION} in {path}, but got {shown(version)}: "
                "report on it with the robseg that wrote it, or evaluate again."
            )
        try:
            record: RunRecord = typed(cls, raw, "")
        except InputError as error:
            raise InvalidRun(f"In {path}: {error} Evaluate again.") from error
        _check(record, path)
        return record


def _check(record: RunRecord, path: Path) -> None:
    """Raise InvalidRun unless every axis has distinct names, and all axes fit together."""
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
