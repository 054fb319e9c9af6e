"""Turn a request into a job: open the data set, load the models, and state what the counts depend on."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import corruptions
from reports import tallies
from reports.run.context import Context
from reports.run.record import CLEAN, Condition
from reports.run.tally import Tally
from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.datasets.given import checked
from robseg.datasets.samples import as_dataset
from robseg.errors import InputError
from robseg.evaluation import resolve
from robseg.evaluation.class_maps import read_class_map
from robseg.evaluation.classes import label_map
from robseg.evaluation.names import named
from robseg.evaluation.provenance import counted_versions
from robseg.evaluation.request import Request
from robseg.evaluation.resolve import ModelSource
from robseg.machine import cores
from robseg.models.card import UNTOLD
from robseg.models.refine.options import refined_models

if TYPE_CHECKING:
    from robseg.models.model import Model
    from robseg.models.predict.inference import Precision
    from robseg.models.predict.prediction import Predictor

__all__ = ["Job", "loaded", "place_of_models", "prepare"]

notes = logging.getLogger("robseg")


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything that a worker needs for any shard of a run; each process receives it once.

    `label_maps` has, for each model, a table of 256 entries from its labels to the data set's classes. All
    `tallies` count every prediction; the primary tally is the first. In each worker, `prefetch_threads` read
    and corrupt images ahead of the models.
    """

    conditions: tuple[Condition, ...]
    models: Mapping[str, Predictor]
    label_maps: Mapping[str, NDArray[np.uint8]]
    dataset: Dataset
    context: Context
    tallies: tuple[Tally, ...]
    batch_size: int
    prefetch_threads: int = 0


def prepare(request: Request) -> Job:
    """Check the names of a request, then open its data set and load its models; nothing is written.

    Raises
    ------
    InputError
        If a name is unknown, data or weights are missing or wrong, two models share a name, or a model lacks
        a class.
    """
    resolve.check(request)
    conditions = resolve.conditions(request)
    counted = tallies.wanted(request.tally_names)
    sources = resolve.models(request)
    dataset = _opened(request)
    class_names = None if dataset is None else dataset.class_names
    own = [loaded(source, request, class_names) for source in sources]
    if dataset is None:
        dataset = _thinned(checked(as_dataset(request.dataset, own[0].card.class_names)), request)
    plain = named(own, sources, request.name)
    for model in plain:
        if UNTOLD in model.card.options:
            notes.warning(
                "The run cannot be continued or extended, because %s holds a value (%s) that robseg cannot "
                "compare with that of a later call. Everything is computed in this call.",
                model.name,
                model.card.options[UNTOLD],
            )
    models = _by_name(
        *plain, *refined_models(plain, request, dataset.name, dataset.ids, *place_of_models(request))
    )
    dataset, maps = _matched(request, dataset, models)
    context = Context(
        dataset=f"{dataset.name}/{dataset.split}/{dataset.fingerprint}",
        labels=dict(dataset.labels),
        set_versions={
            condition.corruption: corruptions.get(condition.corruption).set_version
            for condition in conditions
            if condition.corruption != CLEAN
        },
        seed=request.seed,
        move_targets=resolve.move_targets(request),
        device=request.device,
        precision=request.precision,
        models={name: model.identity for name, model in models.items()},
        versions=counted_versions(),
    )
    threads = request.prefetch_threads
    if threads is None:
        # A GPU leaves the cores to those who feed it; on a CPU the network takes the worker's one.
        threads = 0 if request.device == "cpu" else cores() // max(1, request.num_workers) or 1
    return Job(conditions, models, maps, dataset, context, counted, request.batch_size, threads)


def place_of_models(request: Request) -> tuple[str, Precision]:
    """Return the device and the precision of the models in this process.

    Where other machines do the work, it only looks at them, and need not have what these have.
    """
    if request.executor == "local":
        return request.device, request.precision
    return "cpu", "fp32" if request.precision == "fp16" else request.precision


def _matched(
    request: Request, dataset: Dataset, models: Mapping[str, Predictor]
) -> tuple[Dataset, dict[str, NDArray[np.uint8]]]:
    """Return the data set with the classes that are scored, and the table of each model's labels to these."""
    channels = {name: model.card.class_names for name, model in models.items()}
    if request.class_map is not None:
        class_map = read_class_map(request.class_map)
        dataset = class_map.applied(dataset, itertools.chain(*channels.values()))
        channels = {name: class_map.channels(own) for name, own in channels.items()}
    return dataset, {name: label_map(name, own, dataset.class_names) for name, own in channels.items()}


def _by_name(*models: Predictor) -> dict[str, Predictor]:
    """Return models by their names, which must differ."""
    named = {model.name: model for model in models}
    if len(named) < len(models):
        names = [model.name for model in models]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"Expected models of different names, but got '{twice}' twice: leave one out, "
            "or name them with --name."
        )
    return named


def _opened(request: Request) -> Dataset | None:
    """Return the data set of a request, or None if that is samples whose classes only a model can name."""
    if isinstance(request.dataset, Dataset):
        return _thinned(checked(request.dataset), request)
    if not isinstance(request.dataset, str):
        return None
    root = None if request.data_root is None else Path(request.data_root)
    return _thinned(open_dataset(request.dataset, root, request.split), request)


def _thinned(dataset: Dataset, request: Request) -> Dataset:
    return dataset.thinned(request.every).spread(request.limit)


def loaded(
    source: ModelSource | Model, request: Request, class_names: tuple[str, ...] | None = None
) -> Model:
    """Return a model of a request, loaded; `class_names` are those of the data set, for want of the model's.

    Raises
    ------
    InputError
        If its weights are missing or wrong.
    """
    if not isinstance(source, ModelSource):
        return source
    from robseg.models.model import load_model  # here, so that names are checked before torch is imported

    device, precision = place_of_models(request)
    return load_model(
        source.spec,
        source.weights,
        device=device,
        precision=precision,
        class_names=class_names,
        card=source.card,
    )
