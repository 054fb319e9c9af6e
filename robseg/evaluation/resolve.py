"""Turn the names in a request into models, conditions and a protocol, before anything is loaded.

Unknown names are refused here, with a suggestion.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.run.record import Condition
from reports.run.typed import shown
from reports.scoring import protocols
from robseg.datasets.base import DATASETS, Dataset
from robseg.datasets.samples import has_samples
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
    "ModelSource",
    "check",
    "conditions",
    "models",
    "move_targets",
    "protocol",
]


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """A model to load: a spec (`enet`, `onnx:FILE`) or a callable, and what replaces its weights and card.

    `card` is a card or some fields of one.
    """

    spec: str | Callable[..., Any]
    weights: Path | None = None
    card: CardFields | None = None


def check(request: Request) -> None:
    """Check the names in a request that `models` and `conditions` do not check.

    Raises
    ------
    InputError
        If a name is unknown, or options do not fit together.
    """
    if isinstance(request.dataset, str):
        DATASETS[request.dataset]
    elif not isinstance(request.dataset, Dataset) and not has_samples(request.dataset):
        raise InputError(
            "Expected the name of a data set, a Dataset, (images, targets) or a data set of PyTorch, but got "
            f"{shown(request.dataset)}: see `robseg list datasets`."
        )
    elif request.data_root is not None or request.split is not None:
        raise InputError(
            "Expected an opened Dataset alone, but got data_root or split too: pass them to open_dataset."
        )
    refinement.check(request)


def models(request: Request) -> tuple[ModelSource | Model, ...]:
    """Return the models of a request: sources of those that are yet to load, and loaded models.

    Raises
    ------
    InputError
        If a name is unknown, or weights or cards do not pair up with the models.
    """
    given = _several(request.model)
    if not given:
        raise InputError("Expected at least one model, but got none: name one, such as enet.")
    _check_architecture(request.arch, given)
    files = _paired([Path(path) for path in _several(request.weights)], given, "--weights")
    data = request.dataset
    dataset = data if isinstance(data, str) else getattr(data, "name", "")
    sources: list[ModelSource | Model] = []
    for one, file in zip(given, files, strict=True):
        if isinstance(one, str):
            sources += [_with_weights(one, file)] if file else _expand(one, request.arch, dataset)
        elif callable(one):
            sources.append(ModelSource(one, file))
        elif not hasattr(one, "predict"):
            raise InputError(
                f"Expected the name of a model, a Model or a callable, but got {one!r}: "
                "see `robseg list models`."
            )
        elif file or request.card:
            raise InputError(
                "Expected a loaded Model alone, but got weights or a card too: pass them to load_model."
            )
        else:
            sources.append(one)
    cards = _paired(_several(request.card), sources, "--model-card")
    return tuple(_with_card(source, card) for source, card in zip(sources, cards, strict=True))


def conditions(request: Request) -> tuple[Condition, ...]:
    """Return the clean condition, and then those of the requested corruptions or protocol."""
    return conditions_of(_pairs(request))


def protocol(request: Request) -> str:
    """Return the requested protocol, or else the only one with the same conditions, or else custom.

    Examples
    --------
    >>> protocol(Request("enet")), protocol(Request("enet", corruptions="fog"))
    ('full', 'custom')
    """
    if request.protocol is not None:
        return request.protocol
    asked = set(_pairs(request))
    same = [name for name, known in protocols.PROTOCOLS.items() if set(protocols.conditions(known)) == asked]
    return same[0] if len(same) == 1 else protocols.CUSTOM.name


def move_targets(request: Request) -> bool:
    """Return whether targets move with pixels: as requested, else as the protocol says, else True."""
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
    if request.severities is not None or request.corruptions is not None:
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
    """Return one given value for each of the models, or None for all if nothing was given."""
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


def _check_architecture(name: str | None, models: Sequence[object]) -> None:
    """Raise InputError if an architecture is unknown, or none of the models is a weights file."""
    if name is None:
        return
    if name not in catalogue.ARCHITECTURES:
        raise unknown_name("architecture", name, catalogue.ARCHITECTURES)
    if not any(isinstance(model, str) and _is_weights(model) for model in models):
        raise InputError(
            "Expected --arch with a weights file as the model, but no model is one: leave --arch out."
        )


def _is_weights(spec: str) -> bool:
    return catalogue.is_weights_file(spec) and not adapters.adapter_of(spec)


def _is_several(spec: str) -> bool:
    return spec == "all" or any(character in spec for character in "*?[")


def _with_weights(spec: str, weights: Path) -> ModelSource:
    """Return the model of a name with other weights."""
    if _is_several(spec) or _is_weights(spec):
        raise InputError(
            f"Expected --weights for a model that is named, such as enet, but got '{spec}': "
            "name the one model that the weights belong to."
        )
    return ModelSource(spec, weights)


def _expand(spec: str, architecture: str | None, dataset: str) -> list[ModelSource]:
    """Return the models that a spec names: a card id, an architecture, a file, a glob, or "all".

    The architecture of a file is `architecture`, or the one that the card beside the file names. "all" means
    the models that come with the package. A glob may match published models, which are downloaded. An
    architecture alone means its model for `dataset`, if the package has one. A SegFix predicts no labels, so
    it is left out.
    """
    if adapters.adapter_of(spec) and "*" not in spec:
        return [ModelSource(spec)]
    if _is_weights(spec):
        if not Path(spec).is_file():
            raise InputError(f"Expected a weights file at {spec}, but there is none: check the path.")
        card = catalogue.card_beside(Path(spec))
        name = architecture or ("" if card is None else card.architecture)
        if not name:
            raise InputError(
                f"Expected --arch with the weights file {spec}, because no card beside it names its "
                f"architecture: add --arch NAME, or write ts:{spec} if it is TorchScript that you trust."
            )
        if name not in catalogue.ARCHITECTURES:  # such as py:MODULE:FACTORY, which would run code
            raise InputError(
                f"In the card beside {spec}: {unknown_name('architecture', name, catalogue.ARCHITECTURES)}"
            )
        return [ModelSource(name, Path(spec))]
    found = catalogue.wanted(spec) if _is_several(spec) else (catalogue.resolve(spec, dataset),)
    cards = [card for card in found if card.architecture != METHOD]
    if not cards:
        raise InputError(
            f"Expected a model that labels images, but got '{spec}', which is a SegFix: name a model, and "
            f"add --refine {METHOD}."
        )
    return [ModelSource(card.id) for card in cards]
