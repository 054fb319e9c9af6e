"""What a user asks to refine labels by, checked before anything is loaded; without torch until then."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from robseg.errors import InputError
from robseg.models import catalogue

if TYPE_CHECKING:
    from robseg.models.predict.inference import Precision
    from robseg.models.refine.offsets import Offsets

__all__ = ["METHOD", "RefineSource", "check", "load", "refined_name"]

METHOD = "segfix"  # the architecture, and the value of `--refine`


@dataclasses.dataclass(frozen=True)
class RefineSource:
    """What refines labels: a SegFix (`segfix` or the id of a card), a file of its weights, or stored offsets.

    `offsets` is a folder with a file for each image of the data set; it needs no network. A unit of offset is
    `scale` pixels.
    """

    spec: str = METHOD
    weights: Path | None = None
    offsets: Path | None = None
    scale: int = 2


def refined_name(model: str) -> str:
    """Return the name of a model with refined labels.

    Examples
    --------
    >>> refined_name("enet@streets")
    'enet@streets+segfix'
    """
    return f"{model}+{METHOD}"


def check(source: RefineSource) -> None:
    """Raise InputError if a name or number is wrong; nothing is loaded."""
    if catalogue.architecture_of(source.spec) != METHOD:
        raise InputError(
            f"Expected '{METHOD}' or the id of a SegFix to refine with, but got '{source.spec}': "
            f"see `robseg list models '{METHOD}*'`."
        )
    if source.weights is not None and source.offsets is not None:
        raise InputError("Expected weights or offsets to refine with, but got both: leave one out.")
    if source.scale < 1:
        raise InputError(f"Expected a scale of 1 or more to refine with, but got {source.scale}.")
    if source.weights is None and source.offsets is None and catalogue.find(source.spec) is None:
        _check_shipped()


def load(
    source: RefineSource, dataset: str, images: Sequence[str], device: str, precision: Precision
) -> Offsets:
    """Load the SegFix (`segfix` alone means that of the data set), or find the offsets of all images.

    Raises
    ------
    InputError
        If weights or offsets are missing or wrong.
    """
    # Imported here: names are checked without waiting for torch.
    from robseg.models.model import load_model
    from robseg.models.refine.offsets import predicted_offsets, stored_offsets

    if source.offsets is not None:
        return stored_offsets(source.offsets, images)
    spec = source.spec if source.weights is not None else catalogue.resolve(source.spec, dataset).id
    return predicted_offsets(load_model(spec, source.weights, device=device, precision=precision))


def _check_shipped() -> None:
    """Raise InputError unless a SegFix comes with the package."""
    cards = catalogue.list_cards(f"{METHOD}*")
    if not any(catalogue.shipped(card) for card in cards):
        published = f", or name a published one (`--refine {cards[0].id}`)" if cards else ""
        raise InputError(
            f"Expected weights to refine with, but no SegFix comes with the package: give --refine-weights "
            f"FILE or --offsets DIR{published}."
        )
