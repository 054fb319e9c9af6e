"""What a user asks for: names are resolved before anything is loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.run.record import Condition
from robseg.datasets.base import DATASETS, Dataset
from robseg.errors import InputError
from robseg.evaluation.conditions import conditions_of
from robseg.models import adapters, catalogue
from robseg.models.refine import source as refinement
from robseg.models.refine.source import RefineSource

if TYPE_CHECKING:
    from robseg.models.card_fields import CardFields
    from robseg.models.model import Model
    from robseg.models.predict.inference import Precision

__all__ = ["CUSTOM", "ModelSource", "Request", "model_sources", "resolve", "with_cards"]

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
    model is judged twice: as it is, and refined. `tallies` names what is counted besides.
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
    tallies: tuple[str, ...] = ()


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
    conditions = conditions_of(request.cells)
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
    return conditions
