"""What a user asks to refine labels by, checked before anything is loaded; without torch until then."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from robseg.errors import InputError
from robseg.models import catalogue
from robseg.models.refine.names import METHOD, SCALE
from robseg.options import POSITIVE, Flag

if TYPE_CHECKING:
    from robseg.models.predict.inference import Precision
    from robseg.models.predict.prediction import Predictor

__all__ = ["RefineOptions", "check", "refined_models"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RefineOptions:
    """The options of an evaluation that say what refines labels, if anything does."""

    refine: Annotated[
        str | None,
        "Evaluate each model a second time with its labels refined by SegFix: segfix, or the id of a SegFix.",
        Flag(names="models", metavar="MODEL"),
    ] = None
    refine_weights: Annotated[
        Path | str | None, "Weights file of the SegFix, in place of its own.", Flag(metavar="FILE")
    ] = None
    offsets: Annotated[
        Path | str | None,
        "Folder with one .mat file of offsets per image, to refine with in place of a network.",
        Flag(metavar="PATH"),
    ] = None
    refine_scale: Annotated[
        int | None,
        "Pixels per unit of offset.",
        f"Without one, {SCALE}, as published.",
        POSITIVE,
        Flag(metavar="N", unset=str(SCALE)),
    ] = None


def check(options: RefineOptions) -> None:
    """Raise InputError if a name is wrong, or options do not go together; nothing is loaded."""
    spec, weights, offsets = options.refine, options.refine_weights, options.offsets
    if spec is None:
        if (weights, offsets, options.refine_scale) != (None, None, None):
            raise InputError(
                "Expected --refine with its weights, offsets or scale, but got none: add --refine segfix."
            )
        return
    if catalogue.architecture_of(spec) != METHOD:
        raise InputError(
            f"Expected '{METHOD}' or the id of a SegFix to refine with, but got '{spec}': "
            f"see `robseg list models '{METHOD}*'`."
        )
    if weights is not None and offsets is not None:
        raise InputError("Expected weights or offsets to refine with, but got both: leave one out.")
    if weights is None and offsets is None and catalogue.find(spec) is None:
        _check_shipped()


def refined_models(
    models: Sequence[Predictor],
    options: RefineOptions,
    dataset: str,
    images: Sequence[str],
    device: str,
    precision: Precision,
) -> tuple[Predictor, ...]:
    """Return the models with refined labels, which share their offsets; none if that was not asked for.

    `segfix` alone means the SegFix of the data set, whose `images` offsets in files must have.

    Raises
    ------
    InputError
        If weights or offsets are missing or wrong.
    """
    if options.refine is None:
        return ()
    # Imported here: names are checked without waiting for torch.
    from robseg.models.model import load_model
    from robseg.models.refine.model import RefinedModel
    from robseg.models.refine.offsets import predicted_offsets, stored_offsets

    if options.offsets is not None:
        offsets = stored_offsets(Path(options.offsets), images)
    else:
        weights = None if options.refine_weights is None else Path(options.refine_weights)
        spec = options.refine if weights is not None else catalogue.resolve(options.refine, dataset).id
        offsets = predicted_offsets(load_model(spec, weights, device=device, precision=precision))
    scale = SCALE if options.refine_scale is None else options.refine_scale
    return tuple(RefinedModel(model, offsets, scale) for model in models)


def _check_shipped() -> None:
    """Raise InputError unless a SegFix comes with the package."""
    cards = catalogue.list_cards(f"{METHOD}*")
    if not any(catalogue.shipped(card) for card in cards):
        published = f", or name a published one (`--refine {cards[0].id}`)" if cards else ""
        raise InputError(
            f"Expected weights to refine with, but no SegFix comes with the package: give --refine-weights "
            f"FILE or --offsets DIR{published}."
        )
