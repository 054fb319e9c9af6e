"""`onnx:FILE`: an ONNX graph run by onnxruntime."""

from __future__ import annotations

import functools
import hashlib
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.embedded import KEY, embedded_in
from robseg.models.foreign.outputs import Ordered
from robseg.models.foreign.reading import Foreign, Weights, existing, package, reading, without_weights
from robseg.models.foreign.ultralytics import Export, Letterboxed, export_of

__all__ = ["load"]

logger = logging.getLogger("robseg")

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}

# The lengths (N, H, W) with which a graph is tried that leaves them open.
TRIED = (1, 64, 64)


class Taken(NamedTuple):
    """The images that a graph takes: their number, their sides (H, W), and whether channels come last.

    A length that is left open is None or a name.
    """

    name: str
    batch: Any
    sides: tuple[Any, Any]
    dtype: Any
    last: bool


class Session:
    """An onnxruntime session as a callable from images (N, 3, H, W) to its outputs by name."""

    def __init__(self, path: Path, device: torch.device) -> None:
        runtime = package("onnxruntime", "onnx")
        options = runtime.SessionOptions()
        # One thread, as everywhere in a run: results must not depend on the number of cores.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is raised, and need not be printed too
        wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
        there = runtime.get_available_providers()
        if not set(wanted) <= set(there):
            raise InputError(
                f"Expected an onnxruntime for the device {device}, but this one has {', '.join(there)}: "
                "pip install onnxruntime-gpu, or use --device cpu."
            )
        self.session = runtime.InferenceSession(str(path), options, [*wanted, "CPUExecutionProvider"])
        orders = _input(self.session.get_inputs(), path)
        # Where a graph leaves the place of the channels open, running it shows it.
        runs = orders if len(orders) == 1 else [one for one in orders if self._runs(one)]
        if len(runs) > 1:
            raise InputError(
                f"Expected {path.name} to state which side of its images is the channels, but it runs with "
                "both (N, 3, H, W) and (N, H, W, 3): export it with the length 3 in the shape of its input."
            )
        self.taken = (runs or orders)[0]

    def __call__(self, images: Tensor) -> Ordered:
        """Return the graph's outputs."""
        pixels = images.cpu().numpy()
        if self.taken.last:
            pixels = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        fed = (np.rint(pixels) if self.taken.dtype is np.uint8 else pixels).astype(self.taken.dtype)
        names = [one.name for one in self.session.get_outputs()]
        return Ordered(zip(names, self.session.run(names, {self.taken.name: fed}), strict=True))

    def _runs(self, taken: Taken) -> bool:
        """Return whether the graph runs with black images of that order."""
        batch, *sides = (
            side if _fixed(side) else open_
            for side, open_ in zip((taken.batch, *taken.sides), TRIED, strict=True)
        )
        shape = (batch, *sides, 3) if taken.last else (batch, 3, *sides)
        try:
            self.session.run(None, {taken.name: np.zeros(shape, taken.dtype)})
        except Exception:  # noqa: BLE001 - onnxruntime has a class of its own for each kind of failure
            return False
        return True


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return the graph in a file, with a card that states the sizes that it was exported for."""
    without_weights(weights, f"onnx:{name}")
    path = existing(name, "an ONNX file")
    onnx = package("onnx", "onnx")
    with reading(f"{name} to be an ONNX graph that onnxruntime runs", "export it again"):
        file = onnx.load(str(path), load_external_data=False)
        session = Session(path, device)
    taken = session.taken
    rows, columns = taken.sides
    if taken.last:
        logger.info("%s takes images with the channels in the last place (N, H, W, 3).", name)
    fixed = (rows, columns) if _fixed(rows) and _fixed(columns) else None
    metadata = {one.key: one.value for one in file.metadata_props}
    export = export_of(metadata, fixed, name)
    own = embedded_in(metadata.get(KEY), name)
    card = (
        own.card_of("onnx", path.stem)
        if own
        else Card(
            id=f"onnx:{path.stem}",
            architecture="onnx",
            dataset="",
            class_names=() if export is None else export.class_names,
            # A graph that takes bytes normalises them itself.
            std=(1.0, 1.0, 1.0) if taken.dtype is np.uint8 else (255.0, 255.0, 255.0),
            test_size=fixed if export is None else None,
        )
    )
    network = ForeignNetwork(
        _fed(session, export),
        card.id,
        remade=functools.partial(_again, path, device, export),
        batch_size=taken.batch if isinstance(taken.batch, int) else None,
        hidden_parameters=_parameters(onnx, file.graph),
    )
    return Foreign(card, network.eval(), _sha256(onnx, file.graph, path))


def _again(path: Path, device: torch.device, export: Export | None) -> Session | Letterboxed:
    return _fed(Session(path, device), export)


def _fed(session: Session, export: Export | None) -> Session | Letterboxed:
    """Return the session as a callable from images, which Ultralytics' models see letterboxed."""
    return session if export is None else Letterboxed(session, export.sides, export.stride)


def _input(inputs: Sequence[Any], path: Path) -> list[Taken]:
    """Return what the graph takes: both orders of the axes, if its channels are left open."""
    first = inputs[0]
    shape = first.shape
    places = [
        place for place in (1, 3) if len(shape) == 4 and (shape[place] == 3 or not _fixed(shape[place]))
    ]
    if len(inputs) != 1 or not places or first.type not in DTYPES:
        raise InputError(
            f"Expected {path.name} to take one batch of images (N, 3, H, W) or (N, H, W, 3) of float or "
            f"uint8, but it takes {', '.join(f'{one.name} {one.shape} {one.type}' for one in inputs)}: "
            "export it that way."
        )
    stated = [place for place in places if shape[place] == 3][:1]
    sides = {1: (shape[-2], shape[-1]), 3: (shape[-3], shape[-2])}
    dtype = DTYPES[first.type]
    return [Taken(first.name, shape[0], sides[place], dtype, place == 3) for place in stated or places]


def _fixed(length: Any) -> bool:
    return isinstance(length, int)


def _parameters(onnx: Any, graph: Any) -> int:
    """Return the number of weights; integers for shapes and indices do not count."""
    counters = {onnx.TensorProto.INT64, onnx.TensorProto.BOOL}
    return sum(math.prod(one.dims) for one in graph.initializer if one.data_type not in counters)


def _sha256(onnx: Any, graph: Any, path: Path) -> str:
    """Return the SHA-256 of the file, together with that of its data files if weights lie beside it."""
    external = {
        entry.value
        for one in graph.initializer
        if one.data_location == onnx.TensorProto.EXTERNAL
        for entry in one.external_data
        if entry.key == "location"
    }
    digests = [sha256_of(path), *(sha256_of(path.parent / name) for name in sorted(external))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
