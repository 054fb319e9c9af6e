"""From a request to a job: the data set opened, the models loaded, what counts depend on written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import corruptions
from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.evaluation.classes import label_map
from robseg.evaluation.request import ModelSource, Request
from robseg.evaluation.store import Context
from robseg.evaluation.worker import Job
from robseg.models.refine import source as refinement

if TYPE_CHECKING:
    from robseg.models.model import Model
    from robseg.models.predict.prediction import Predictor

__all__ = ["prepare"]


def prepare(request: Request) -> Job:
    """Open the data set and load the models of a request.

    Raises
    ------
    InputError
        If data or weights are missing or wrong, two models have one name, or a model lacks a class.
    """
    dataset = _opened(request)
    models: dict[str, Predictor] = {}
    for source in request.models:
        model = _loaded(source, request, dataset)
        if model.name in models:
            raise InputError(f"Expected models of different names, but got '{model.name}' twice.")
        models[model.name] = model
    models |= {refined.name: refined for refined in _refined(tuple(models.values()), request, dataset)}
    context = Context(
        dataset=f"{dataset.name}/{dataset.split}/{dataset.fingerprint}",
        set_version=corruptions.SET_VERSION,
        seed=request.seed,
        move_targets=request.move_targets,
        device=request.device,
        precision=request.precision,
        models={name: model.identity for name, model in models.items()},
    )
    maps = {
        name: label_map(name, model.card.class_names, dataset.class_names) for name, model in models.items()
    }
    return Job(models, maps, dataset, context, request.batch_size, request.boundaries)


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


def _refined(models: Sequence[Predictor], request: Request, dataset: Dataset) -> Sequence[Predictor]:
    """Return the models with refined labels, which share their offsets; none if that was not asked for."""
    if request.refine is None:
        return ()
    from robseg.models.refine.model import RefinedModel

    offsets = refinement.load(request.refine, dataset.name, dataset.ids, request.device, request.precision)
    return [RefinedModel(model, offsets, request.refine.scale) for model in models]
