"""The whole of an evaluation in one Python call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.scoring import protocols
from robseg.errors import InputError
from robseg.evaluation.conditions import SEVERITIES, parse_corruptions
from robseg.evaluation.request import CUSTOM, ModelSource, Request, model_sources, with_cards
from robseg.evaluation.run import Progress
from robseg.models.refine.source import RefineSource
from robseg.pipeline import execute
from robseg.registry import unknown_name

if TYPE_CHECKING:
    from reports.tables.results import Results
    from robseg.datasets.base import Dataset
    from robseg.models.card_fields import CardFields
    from robseg.models.model import Model
    from robseg.models.predict.inference import Precision

    AnyModel = str | Model | Callable[..., Any]

__all__ = ["cells_of", "evaluate", "protocol_of", "refine_source", "targets_move"]


def evaluate(
    model: AnyModel | Sequence[AnyModel],
    dataset: str | Dataset = "streets",
    corruptions: str = "all",
    severities: Sequence[int] | None = None,
    *,
    protocol: str | None = None,
    weights: str | Path | None = None,
    card: CardFields | None = None,
    out: str | Path | None = None,
    data_root: str | Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    every: int = 1,
    seed: int = 0,
    move_targets: bool | None = None,
    refine: str | None = None,
    refine_weights: str | Path | None = None,
    refine_scale: int = 2,
    offsets: str | Path | None = None,
    boundaries: Sequence[int] = (),
    tallies: Sequence[str] = (),
    device: str = "cpu",
    precision: Precision = "fp32",
    batch_size: int = 1,
    num_workers: int = 0,
    examples: bool = True,
    progress: Callable[[Progress], None] | None = None,
) -> Results:
    """Evaluate models on clean and corrupted images, and write tables and a report.

    Parameters
    ----------
    model
        A spec as on the command line (`enet`, `onnx:FILE`, "all"), a loaded Model, an nn.Module or any
        callable from float (N, 3, H, W) to logits (N, C, h, w) or integer labels (N, H, W); or several.
    dataset
        A data set's name, or a Dataset.
    corruptions, severities
        Names, groups or subsets, comma-separated ("none": clean images only), at severities 1..5.
    protocol
        A named protocol in place of corruptions and severities (see `robseg list protocols`).
    limit, every
        At most so many images, and only every so many-th (1: all).
    weights
        A checkpoint for `model`, in place of its card's own.
    card
        A Card for `model` in place of its own, or some of its fields ({"class_names": ...}). Without one, a
        callable sees RGB / 255 and answers the data set's classes.
    move_targets
        Whether targets move with corruptions that move pixels; None: as the protocol says, else yes.
    refine
        `segfix`, or the id of a SegFix: each model's labels are also judged refined, as `MODEL+segfix`.
    refine_weights, refine_scale, offsets
        A checkpoint of the SegFix; the pixels per unit of its offsets; a folder of offsets made before (.mat,
        one for each image), in place of a network.
    boundaries
        Widths in pixels at which class boundaries are scored too: trimap mIoU and boundary IoU.
    out
        The run's folder; a run found there is continued. None: `runs/<model>-<dataset>`.
    num_workers
        Worker processes; 0 works in this process. The counts do not depend on it.

    Returns
    -------
    Results
        With the DataFrames scores, summary, classes and boundaries.

    Raises
    ------
    InputError
        If a name, file or option is wrong: expected, got, what to do.
    IncompleteRun
        If work is left over; the same call continues.

    Examples
    --------
    >>> import robseg
    >>> robseg.evaluate("enet", limit=2, corruptions="fog").summary  # doctest: +SKIP
    """
    cells = cells_of(corruptions, severities, protocol)
    request = Request(
        models=_sources(model, weights, card, dataset if isinstance(dataset, str) else dataset.name),
        dataset=dataset,
        cells=cells,
        data_root=Path(data_root) if data_root is not None else None,
        split=split,
        limit=limit,
        every=every,
        seed=seed,
        move_targets=targets_move(move_targets, protocol),
        device=device,
        precision=precision,
        batch_size=batch_size,
        protocol=protocol_of(cells, protocol),
        refine=refine_source(refine, refine_weights, offsets, refine_scale),
        tallies=(*tallies, *near_boundaries(boundaries)),
    )
    folder = Path(out) if out is not None else None
    command = "robseg.evaluate(...)"
    return execute(request, folder, num_workers, examples=examples, progress=progress, command=command)


def _sources(
    model: AnyModel | Sequence[AnyModel], weights: str | Path | None, card: CardFields | None, dataset: str
) -> tuple[ModelSource | Model, ...]:
    """Return what stands for the models of an evaluation; weights and card are for a single one."""
    given = [model] if isinstance(model, str) or not isinstance(model, Sequence) else list(model)
    files = (Path(weights),) if weights is not None else ()
    cards = (card,) if card is not None else ()
    sources: list[ModelSource | Model] = []
    for one in given:
        if isinstance(one, str):
            sources += with_cards(model_sources([one], files, dataset=dataset), cards)
        elif callable(one):
            sources += with_cards([ModelSource(one, *files)], cards)
        elif files or cards:
            raise InputError(
                "Expected a loaded Model alone, but got weights or a card with it: give them to load_model."
            )
        else:
            sources.append(one)
    return tuple(sources)


def near_boundaries(widths: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{kind}-{width}" for width in widths for kind in ("trimap", "boundary"))


def refine_source(
    spec: str | None, weights: str | Path | None, offsets: str | Path | None, scale: int
) -> RefineSource | None:
    """Return what labels are refined by, None where that was not asked for."""
    if spec is None:
        if weights is not None or offsets is not None:
            raise InputError("Expected a refinement with its weights or offsets, but got none: add segfix.")
        return None
    return RefineSource(
        spec,
        Path(weights) if weights is not None else None,
        Path(offsets) if offsets is not None else None,
        scale,
    )


def cells_of(
    corruptions: str, severities: Sequence[int] | None = None, protocol: str | None = None
) -> tuple[tuple[str, int], ...]:
    """Return the (corruption, severity) pairs that names and severities, or else a protocol, stand for."""
    if protocol is None:
        chosen = SEVERITIES if severities is None else tuple(dict.fromkeys(severities))
        return tuple((name, severity) for name in parse_corruptions(corruptions) for severity in chosen)
    if protocol not in protocols.PROTOCOLS:
        raise unknown_name("protocol", protocol, protocols.PROTOCOLS)
    if severities is not None or corruptions != "all":
        raise InputError(
            f"Expected a protocol alone, but got '{protocol}' with corruptions or severities: "
            "leave those out."
        )
    return protocols.conditions(protocols.PROTOCOLS[protocol])


def targets_move(asked: bool | None, protocol: str | None) -> bool:
    """Return whether targets move with pixels: as asked, else as the protocol says, else yes."""
    if asked is not None:
        return asked
    return protocol is None or protocols.PROTOCOLS[protocol].move_targets


def protocol_of(cells: Sequence[tuple[str, int]], asked: str | None) -> str:
    """Return the protocol that was asked for, or the only one that has just these cells, or custom.

    Examples
    --------
    >>> protocol_of(cells_of("all"), None), protocol_of(cells_of("fog"), None)
    ('full', 'custom')
    """
    if asked is not None:
        return asked
    same = [
        name
        for name, protocol in protocols.PROTOCOLS.items()
        if set(protocols.conditions(protocol)) == set(cells)
    ]
    return same[0] if len(same) == 1 else CUSTOM
