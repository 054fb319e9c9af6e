"""The cards of all models by id: those that come with the package, and published ones; without torch.

A model that comes with the package has a card in `zoo/*.json` beside its weights. All published models are
rows of one file.
"""

from __future__ import annotations

import dataclasses
import json
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from reports.run.parse import from_json
from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.card_fields import card_fields
from robseg.models.published import read_published
from robseg.registry import Registry

__all__ = [
    "ARCHITECTURES",
    "CARDS",
    "DEFAULT_DATASET",
    "SAFETENSORS",
    "ZOO",
    "architecture_of",
    "card_from_json",
    "card_to_json",
    "find",
    "find_file",
    "is_weights_file",
    "list_cards",
    "read_card",
    "resolve",
    "shipped",
    "wanted",
]

ZOO = Path(__file__).parent / "zoo"
PUBLISHED = "published.toml"

# The endings of files that hold weights of our architectures.
SAFETENSORS = ".safetensors"
WEIGHTS_SUFFIXES = (".pth", ".pt", ".ckpt", SAFETENSORS)

ARCHITECTURES: Registry[Any] = Registry("architecture", "robseg.models.architectures", "ARCHITECTURE")

# The short names of backbones in mmsegmentation's configurations.
BACKBONES = {
    **{f"r{depth}": f"resnet{depth}v1c" for depth in (18, 50, 101)},
    **{f"r{depth}b": f"resnet{depth}" for depth in (18, 50, 101)},
    "hr18s": "hrnet_w18_small",
    "hr18": "hrnet_w18",
    "hr48": "hrnet_w48",
    "mv2": "mobilenet_v2",
}

# The data set that "enet" alone stands for: it needs no download.
DEFAULT_DATASET = "streets"

REQUIRED = {
    field.name
    for field in dataclasses.fields(Card)
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
}


def is_weights_file(spec: str) -> bool:
    """Return whether a spec has the ending of a file of weights, in upper or lower case.

    Examples
    --------
    >>> is_weights_file("./Best.PTH"), is_weights_file("enet@streets")
    (True, False)
    """
    return spec.lower().endswith(WEIGHTS_SUFFIXES)


def card_to_json(card: Card) -> str:
    """Return a card as JSON text.

    Examples
    --------
    >>> card = Card("enet@toy", "enet", "toy", ("road", "sky"), test_size=(360, 480))
    >>> card_from_json(card_to_json(card), "toy.json") == card
    True
    """
    return json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False) + "\n"


def card_from_json(text: str, origin: str) -> Card:
    """Return the card that JSON text describes; `origin` names the text in errors.

    Raises
    ------
    InputError
        If the text is not a JSON object, has an unknown field or a wrong value, or lacks a required field.
    """
    try:
        fields = from_json(text)
    except ValueError as error:
        raise InputError(f"Expected a model card in {origin}, but it is not JSON ({error}).") from error
    if not isinstance(fields, dict):
        raise InputError(f"Expected a model card in {origin}, but got {type(fields).__name__}.")
    try:
        checked = card_fields(fields)
    except InputError as error:
        raise InputError(f"In the model card {origin}: {error}") from error
    missing = sorted(REQUIRED - checked.keys())
    if missing:
        raise InputError(
            f"Expected the model card {origin} to have {', '.join(missing)}, but it lacks them: add them."
        )
    return Card(**checked)


def read_card(path: Path) -> Card:
    """Return the card in a JSON file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Expected a model card in {path}, but it cannot be read: {error}.") from error
    return card_from_json(text, str(path))


def card_beside(weights: Path) -> Card | None:
    """Return the card in the JSON file beside a safetensors file, or None; `robseg train` writes both."""
    if weights.suffix.lower() != SAFETENSORS or not weights.is_file():
        return None
    path = weights.with_suffix(".json")
    return read_card(path) if path.is_file() else None


def list_cards(pattern: str = "*") -> tuple[Card, ...]:
    """Return the cards whose id matches a shell pattern such as `enet*`."""
    return tuple(card for name, card in CARDS.items() if fnmatchcase(name, pattern))


def find(spec: str) -> Card | None:
    """Return the card of that id, or of a short name such as `pspnet_r50@cityscapes`, or None.

    A short name, ARCHITECTURE_BACKBONE@DATASET, stands for the published checkpoint with the highest mIoU on
    whole images; checkpoints of mmsegmentation come first.
    """
    if spec in CARDS:
        return CARDS[spec]
    network, _, dataset = spec.partition("@")
    name, _, backbone = network.partition("_")
    cards = [
        card
        for card in list_cards()
        if (card.architecture, card.dataset) == (name, dataset)
        and card.backbone == BACKBONES.get(backbone)
        and card.test_mode == "whole"
    ]
    return max(cards, key=lambda card: (card.layout == "mmseg", card.published_miou or 0.0), default=None)


def find_file(name: str) -> Card | None:
    """Return the first card whose weights' file has that name, or None."""
    return next((card for card in CARDS.values() if card.weights_file == name), None)


def architecture_of(spec: str) -> str:
    """Return the architecture that a spec (`enet`, `enet@streets`) names.

    Examples
    --------
    >>> architecture_of("enet@camvid")
    'enet'
    """
    card = find(spec)
    if card is not None:
        return card.architecture
    name = spec.split("@", 1)[0]
    if name in ARCHITECTURES:
        return name
    raise _unknown(spec)


def resolve(spec: str, dataset: str = DEFAULT_DATASET) -> Card:
    """Return the card of an id. An architecture stands for its model of the data set, or else of streets.

    Raises
    ------
    InputError
        If no model has that name (the nearest is suggested), or no weights come with an architecture.
    """
    card = find(spec)
    if card is not None:
        return card
    if spec not in ARCHITECTURES:
        raise _unknown(spec)
    cards = [card for card in CARDS.values() if card.architecture == spec and shipped(card)]
    if not cards:
        raise InputError(
            f"Expected weights for '{spec}', but none come with the package: give a file, or name a "
            f"published model (`robseg list models '{spec}*'`)."
        )
    return min(cards, key=lambda card: (card.dataset != dataset, card.dataset != DEFAULT_DATASET))


def wanted(pattern: str) -> tuple[Card, ...]:
    """Return the cards that a shell pattern matches; "all" means those whose weights come with the package.

    Raises
    ------
    InputError
        If no card matches.
    """
    cards = list_cards() if pattern == "all" else list_cards(pattern)
    found = tuple(card for card in cards if pattern != "all" or shipped(card))
    if not found:
        raise InputError(f"Expected {pattern!r} to match models, but none does: see `robseg list models`.")
    return found


def shipped(card: Card) -> bool:
    """Return whether a card's weights come with the package: safetensors without an address."""
    return card.weights_file.endswith(SAFETENSORS) and not card.weights_urls


def _unknown(spec: str) -> InputError:
    """Return the error for an unknown model, with the nearest name; all names would fill the screen."""
    near = get_close_matches(spec, (*CARDS, *ARCHITECTURES), n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return InputError(f"Unknown model '{spec}': {hint}See `robseg list models`.")


def _read_zoo(folder: Path, published: str = "") -> dict[str, Card]:
    """Return the cards of a folder by id; those of its file of published checkpoints come last."""
    found = [read_card(path) for path in sorted(folder.glob("*.json"))]
    found += read_published(folder / published) if published else ()
    cards = {card.id: card for card in found}
    if len(cards) != len(found):
        raise ValueError(f"Expected a card for each id in {folder}, but some ids have two.")
    return cards


CARDS = _read_zoo(ZOO, PUBLISHED)
