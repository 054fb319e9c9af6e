"""The card that `robseg export` puts into a file, so that the file can be evaluated without any other."""

from __future__ import annotations

import dataclasses
import json
from typing import NamedTuple

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.catalogue import card_from_json, card_to_json

__all__ = ["KEY", "WEIGHTS_KEY", "Embedded", "embedded_in"]

KEY = "robseg"  # of the metadata of a file
WEIGHTS_KEY = "robseg_weights"  # where weights lie in a file of their own: its SHA-256


class Embedded(NamedTuple):
    """What a file says of its model.

    `sha256` is that of the weights, `precision` that in which the file computes, and `calibration` names the
    images by which its numbers were rounded.
    """

    card: Card
    sha256: str
    precision: str
    calibration: str

    def to_text(self) -> str:
        """Return the text for the metadata of a file."""
        return json.dumps({**self._asdict(), "card": json.loads(card_to_json(self.card))})

    def card_of(self, kind: str, stem: str) -> Card:
        """Return the card of the file's model."""
        made_of = {"weights": self.sha256, "precision": self.precision, "calibration": self.calibration}
        return dataclasses.replace(
            self.card, id=f"{kind}:{stem}", architecture=kind, answers="logits", output=None, options=made_of
        )


def embedded_in(text: str | bytes | None, name: str) -> Embedded | None:
    """Return what the metadata of the file `name` say, or None if they say nothing.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    if not text:
        return None
    try:
        fields = json.loads(text)
        card = card_from_json(json.dumps(fields.pop("card")), name)
        return Embedded(card, *(str(fields[field]) for field in Embedded._fields[1:]))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"Expected {name} to hold what `robseg export` wrote into it, but it is damaged: export it again."
        ) from error
