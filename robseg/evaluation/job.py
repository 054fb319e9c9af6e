"""From a request to a job: the data set opened, the models loaded, what counts depend on written down."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import corruptions
from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.evaluation import refinement, resolve
from robseg.evaluation.classes import label_map
from robseg.evaluation.refinement import refined_name
from robseg.evaluation.request import Request
from robseg.evaluation.resolve import ModelSource
from robseg.evaluation.store import Context
from robseg.evaluation.worker import Job

if TYPE_CHECKING:
    from robseg.models.model import Model
    from robseg.models.refine.refiner import Refiner

__all__ = ["prepare"]

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


def prepare(request: Request) -> Job:
    """Open the data set and load the models of a request.

    Raises
    ------
    InputError
        If data or weights are missing or wrong, two models have one name, or a model lacks a class.
    """
    dataset = _opened(request)
    models: dict[str, Model] = {}
    for source in resolve.models(request):
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
        move_targets=resolve.move_targets(request),
        device=request.device,
        precision=request.precision,
        models=identities,
    )
    maps = {
        name: label_map(name, model.card.class_names, dataset.class_names) for name, model in models.items()
    }
    return Job(
        models,
        maps,
        dataset,
        context,
        request.batch_size,
        refiner,
        frozenset(refined),
        resolve.widths(request),
    )


def _opened(request: Request) -> Dataset:
    dataset = request.dataset
    if not isinstance(dataset, Dataset):
        root = None if request.data_root is None else Path(request.data_root)
        dataset = open_dataset(dataset, root, request.split)
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
    source = resolve.refine_source(request)
    if source is None:
        return None
    return refinement.load(source, dataset.name, dataset.ids, request.device, request.precision)


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
