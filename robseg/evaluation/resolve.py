"""From the names in a request to models, conditions and a protocol, before anything is loaded.

Unknown names end here, with a suggestion.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.run.record import Condition
from reports.scoring import protocols
from robseg.datasets.base import DATASETS
from robseg.errors import InputError, unknown_name
from robseg.evaluation.conditions import conditions_of, severities_of
from robseg.evaluation.request import Request
from robseg.models import adapters, catalogue
from robseg.models.card_fields import fields_in
from robseg.models.refine import options as refinement
from robseg.models.refine.names import METHOD

if TYPE_CHECKING:
    from robseg.models.card_fields import CardFields
    from robseg.models.model import Model

__all__ = [
    "CUSTOM",
    "ModelSource",
    "check",
    "conditions",
    "model_sources",
    "models",
    "move_targets",
    "protocol",
]

CUSTOM = "custom"  # the protocol of corruptions that a user put together


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """A model to load: its spec (`enet`, `onnx:FILE`) or itself, and what replaces its own weights and card.

    `card` is a card or some of its fields.
    """

    spec: str | Callable[..., Any]
    weights: Path | None = None
    card: CardFields | None = None


def check(request: Request) -> None:
    """Check the names of a request that `models` and `conditions` do not look at.

    Raises
    ------
    InputError
        If a name is unknown or a number cannot be right.
    """
    if isinstance(request.dataset, str):
        DATASETS[request.dataset]
    refinement.check(request)


def models(request: Request) -> tuple[ModelSource | Model, ...]:
    """Return the models of a request: sources to load them from, and those that are loaded already.

    Raises
    ------
    InputError
        If a name is unknown, or weights or cards do not pair up with the models.
    """
    given = _several(request.model)
    files = _paired([Path(path) for path in _several(request.weights)], given, "--weights")
    dataset = request.dataset if isinstance(request.dataset, str) else request.dataset.name
    sources: list[ModelSource | Model] = []
    for one, file in zip(given, files, strict=True):
        if isinstance(one, str):
            sources += [ModelSource(one, file)] if file else _expand(one, request.arch, dataset)
        elif callable(one):
            sources.append(ModelSource(one, file))
        elif file or request.card:
            raise InputError(
                "Expected a loaded Model alone, but got weights or a card with it: give them to load_model."
            )
        else:
            sources.append(one)
    cards = _paired(_several(request.card), sources, "--model-card")
    return tuple(_with_card(source, card) for source, card in zip(sources, cards, strict=True))


def model_sources(
    specs: Sequence[str], architecture: str | None = None, dataset: str = catalogue.DEFAULT_DATASET
) -> tuple[ModelSource, ...]:
    """Return the models of specs: card ids, architectures, files, globs, and "all".

    A file is of `architecture`, or of the one that the card beside it names. "all" means the models that come
    with the package. A glob may match published models, which are downloaded. An architecture alone means its
    model of `dataset`, if that ships. A SegFix labels nothing and is left out.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    return tuple(source for spec in specs for source in _expand(spec, architecture, dataset))


def conditions(request: Request) -> tuple[Condition, ...]:
    """Return the clean condition, then those of the corruptions or of the protocol asked for."""
    return conditions_of(_pairs(request))


def protocol(request: Request) -> str:
    """Return the protocol that was asked for, or else the only one with the same conditions, or custom.

    Examples
    --------
    >>> protocol(Request("enet")), protocol(Request("enet", corruptions="fog"))
    ('full', 'custom')
    """
    if request.protocol is not None:
        return request.protocol
    asked = set(_pairs(request))
    same = [name for name, known in protocols.PROTOCOLS.items() if set(protocols.conditions(known)) == asked]
    return same[0] if len(same) == 1 else CUSTOM


def move_targets(request: Request) -> bool:
    """Return whether targets move with pixels: as asked, else as the protocol says, else yes."""
    if request.move_targets is not None:
        return request.move_targets
    return request.protocol is None or protocols.PROTOCOLS[request.protocol].move_targets


def _pairs(request: Request) -> tuple[tuple[str, int], ...]:
    """Return the (corruption, severity) pairs of a request."""
    if request.protocol is None:
        chosen = severities_of(request.corruptions, request.severities)
        return tuple((name, severity) for name, levels in chosen.items() for severity in levels)
    if request.protocol not in protocols.PROTOCOLS:
        raise unknown_name("protocol", request.protocol, protocols.PROTOCOLS)
    if request.severities is not None or request.corruptions != "all":
        raise InputError(
            f"Expected a protocol alone, but got '{request.protocol}' with corruptions or severities: "
            "leave those out."
        )
    return protocols.conditions(protocols.PROTOCOLS[request.protocol])


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


def _paired(given: list[Any], things: Sequence[object], option: str) -> list[Any]:
    """Return what was given for each of the models: one each, or None where there is nothing at all."""
    if given and len(given) != len(things):
        raise InputError(
            f"Expected one {option} for each model, but got {len(given)} for {len(things)}: "
            "give them in the same order."
        )
    return given or [None] * len(things)


def _with_card(source: ModelSource | Model, card: Any) -> ModelSource | Model:
    if card is None or not isinstance(source, ModelSource):
        return source
    return dataclasses.replace(source, card=fields_in(Path(card)) if isinstance(card, str | Path) else card)


def _expand(spec: str, architecture: str | None, dataset: str) -> list[ModelSource]:
    if adapters.adapter_of(spec) and "*" not in spec:
        return [ModelSource(spec)]
    if spec.endswith(catalogue.WEIGHTS_SUFFIXES):
        card = catalogue.card_beside(Path(spec))
        name = architecture or ("" if card is None else card.architecture)
        if not name:
            raise InputError(
                f"Expected --arch with the weights file {spec}, beside which there is no card: name its "
                "architecture."
            )
        return [ModelSource(name, Path(spec))]
    several = spec == "all" or any(character in spec for character in "*?[")
    found = catalogue.wanted(spec) if several else (catalogue.resolve(spec, dataset),)
    cards = [card for card in found if card.architecture != METHOD]
    if not cards:
        raise InputError(
            f"Expected a model that labels images, but got '{spec}', which is a SegFix: name a model, and "
            f"add --refine {METHOD}."
        )
    return [ModelSource(card.id) for card in cards]
