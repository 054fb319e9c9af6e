"""From what a user asks for to a job: names are resolved first, then data and models are loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import corruptions
from reports.run.record import Condition
from robseg.datasets import open_dataset
from robseg.datasets.base import DATASETS, Dataset
from robseg.errors import InputError
from robseg.evaluation import refinement
from robseg.evaluation.boundaries import check_widths
from robseg.evaluation.classes import label_map
from robseg.evaluation.plan import grid
from robseg.evaluation.refinement import RefineSource, refined_name
from robseg.evaluation.store import Context
from robseg.evaluation.worker import Job
from robseg.models import adapters, catalogue

if TYPE_CHECKING:
    from robseg.models.adapters.fields import CardFields
    from robseg.models.model import Model
    from robseg.models.predict.inference import Precision
    from robseg.models.refine.refiner import Refiner

__all__ = ["CUSTOM", "ModelSource", "Request", "model_sources", "prepare", "resolve", "with_cards"]

# The fields of a card that its model's labels depend on.
FED = (
    "architecture",
    "options",
    "class_names",
    "mean",
    "std",
    "channel_order",
    "test_size",
    "resize",
    "antialias",
    "test_mode",
    "crop_size",
    "stride",
    "average",
    "flip",
    "size_divisor",
    "size_remainder",
    "align_corners",
)
CUSTOM = "custom"  # the protocol of corruptions that a user put together


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """A model to load: its spec (`enet`, `onnx:FILE`) or itself, and what a user gives in place of its own.

    `weights` is a file; `card` is a card or some of its fields.
    """

    spec: str | Callable[..., Any]
    weights: Path | None = None
    card: CardFields | None = None


@dataclasses.dataclass(frozen=True)
class Request:
    """One evaluation: models and a data set (by name, or loaded already), conditions and the way to run them.

    `cells` are (corruption, severity) pairs, of the named protocol or custom; the clean condition is always
    part of a run. Of the images, every `every`-th is taken, and `limit` of these at most. With `refine`, each
    model is judged twice: as it is, and refined. `boundaries` are widths in pixels at which boundaries are
    counted too.
    """

    models: tuple[ModelSource | Model, ...]
    dataset: str | Dataset
    cells: tuple[tuple[str, int], ...]
    data_root: Path | None = None
    split: str | None = None
    limit: int | None = None
    every: int = 1
    seed: int = 0
    move_targets: bool = True
    device: str = "cpu"
    precision: Precision = "fp32"
    batch_size: int = 1
    protocol: str = CUSTOM
    refine: RefineSource | None = None
    boundaries: tuple[int, ...] = ()


def model_sources(
    specs: Sequence[str],
    weights: Sequence[Path] = (),
    architecture: str | None = None,
    dataset: str = catalogue.DEFAULT_DATASET,
) -> tuple[ModelSource, ...]:
    """Return the models of specs: card ids, architectures, files, globs, and "all".

    A file is of `architecture`, or of the one that the card beside it names.

    "all" are the models that come with the package; a glob may match published ones, which are downloaded. An
    architecture alone means its model of `dataset`, if that ships. A SegFix labels nothing and is left out.

    `weights` are files for the specs, in their order; there are none or as many as specs.

    Raises
    ------
    InputError
        If a name is unknown (with the nearest), or specs and weights do not pair up.
    """
    if weights and len(weights) != len(specs):
        raise InputError(
            f"Expected one --weights for each --model, but got {len(weights)} for {len(specs)}: "
            "give them in the same order."
        )
    if weights:
        return tuple(ModelSource(spec, path) for spec, path in zip(specs, weights, strict=True))
    return tuple(source for spec in specs for source in _expand(spec, architecture, dataset))


def with_cards(sources: Sequence[ModelSource], cards: Sequence[CardFields]) -> tuple[ModelSource, ...]:
    """Return the models with a user's cards, in their order; there are none or as many as models."""
    if cards and len(cards) != len(sources):
        raise InputError(
            f"Expected one --model-card for each model, but got {len(cards)} for {len(sources)}: "
            "give them in the same order."
        )
    if not cards:
        return tuple(sources)
    return tuple(dataclasses.replace(source, card=card) for source, card in zip(sources, cards, strict=True))


def _expand(spec: str, architecture: str | None, dataset: str) -> list[ModelSource]:
    if adapters.adapter_of(spec) and "*" not in spec:
        return [ModelSource(spec)]
    if spec.endswith(catalogue.WEIGHTS_SUFFIXES):
        card = catalogue.card_beside(Path(spec))
        name = architecture or ("" if card is None else card.architecture)
        if not name:
            raise InputError(
                f"Expected --arch with the weights' file {spec}, beside which there is no card: say which "
                "network it is."
            )
        return [ModelSource(name, Path(spec))]
    several = spec == "all" or any(character in spec for character in "*?[")
    found = catalogue.wanted(spec) if several else (catalogue.resolve(spec, dataset),)
    cards = [card for card in found if card.architecture != refinement.METHOD]
    if not cards:
        raise InputError(
            f"Expected a model that labels images, but got '{spec}', which is a SegFix: name a model, and "
            f"add --refine {refinement.METHOD}."
        )
    return [ModelSource(card.id) for card in cards]


def resolve(request: Request) -> tuple[Condition, ...]:
    """Check every name of a request, before anything is loaded, and return its conditions.

    Raises
    ------
    InputError
        If a name is unknown, or a number is below 1.
    """
    conditions = grid(request.cells)
    if isinstance(request.dataset, str):
        DATASETS[request.dataset]
    for name, value in {
        "limit": request.limit,
        "step between images": request.every,
        "batch size": request.batch_size,
    }.items():
        if value is not None and value < 1:
            raise InputError(f"Expected a {name} of at least 1, but got {value}.")
    if request.refine is not None:
        refinement.check(request.refine)
    check_widths(request.boundaries)
    return conditions


def prepare(request: Request) -> Job:
    """Open the data set and load the models of a request.

    Raises
    ------
    InputError
        If data or weights are missing or wrong, two models have one name, or a model lacks a class.
    """
    dataset = _opened(request)
    models: dict[str, Model] = {}
    for source in request.models:
        model = _loaded(source, request, dataset)
        if model.name in models:
            raise InputError(f"Expected models of different names, but got '{model.name}' twice.")
        models[model.name] = model
    identities = {name: _identity(model) for name, model in models.items()}
    refiner = _refiner(request, dataset)
    refined = {refined_name(name): name for name in models} if refiner is not None else {}
    if refiner is not None:
        identities |= {name: f"{identities[base]}+{_refined_by(refiner)}" for name, base in refined.items()}
        models |= {name: models[base] for name, base in refined.items()}
    context = Context(
        dataset=f"{dataset.name}/{dataset.split}/{dataset.fingerprint}",
        set_version=corruptions.SET_VERSION,
        seed=request.seed,
        move_targets=request.move_targets,
        device=request.device,
        precision=request.precision,
        models=identities,
    )
    maps = {
        name: label_map(name, model.card.class_names, dataset.class_names) for name, model in models.items()
    }
    return Job(
        models, maps, dataset, context, request.batch_size, refiner, frozenset(refined), request.boundaries
    )


def _opened(request: Request) -> Dataset:
    dataset = request.dataset
    if not isinstance(dataset, Dataset):
        dataset = open_dataset(dataset, request.data_root, request.split)
    return dataset.thinned(request.every).head(request.limit)


def _loaded(source: ModelSource | Model, request: Request, dataset: Dataset) -> Model:
    if not isinstance(source, ModelSource):
        return source
    from robseg.models.model import load_model  # here: names are checked without waiting for torch

    return load_model(
        source.spec,
        source.weights,
        device=request.device,
        precision=request.precision,
        class_names=dataset.class_names,
        card=source.card,
    )


def _refiner(request: Request, dataset: Dataset) -> Refiner | None:
    if request.refine is None:
        return None
    return refinement.load(request.refine, dataset.name, dataset.ids, request.device, request.precision)


def _refined_by(refiner: Refiner) -> str:
    """Return what refined labels depend on besides the plain ones: network or files, and the scale."""
    from robseg.models.model import Model

    source = _identity(refiner.source) if isinstance(refiner.source, Model) else refiner.sha256
    return f"{source}x{refiner.scale}"


def _identity(model: Model) -> str:
    """Return what a model's labels depend on: the SHA-256 of its weights, and a digest of how it is fed."""
    fed = {field: getattr(model.card, field) for field in FED}
    digest = hashlib.blake2b(json.dumps(fed, sort_keys=True).encode(), digest_size=8).hexdigest()
    return f"{model.sha256}/{digest}"
