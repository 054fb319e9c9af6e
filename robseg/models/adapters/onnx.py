"""`onnx:FILE`: an ONNX graph run by onnxruntime."""

from __future__ import annotations

import functools
import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.outputs import Ordered
from robseg.models.foreign.reading import Foreign, Weights, existing, package, reading, without_weights

__all__ = ["load"]

DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Session:
    """An onnxruntime session as a callable from images to its outputs by name."""

    def __init__(self, path: Path, device: torch.device) -> None:
        runtime = package("onnxruntime", "onnx")
        options = runtime.SessionOptions()
        # One thread, as everywhere in a run: results must not depend on the number of cores.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
        there = runtime.get_available_providers()
        if not set(wanted) <= set(there):
            raise InputError(
                f"Expected an onnxruntime for the device {device}, but this one has {', '.join(there)}: "
                "pip install onnxruntime-gpu, or use --device cpu."
            )
        self.session = runtime.InferenceSession(str(path), options, [*wanted, "CPUExecutionProvider"])

    def __call__(self, images: Tensor) -> Ordered:
        """Return the graph's outputs."""
        taken = self.session.get_inputs()[0]
        pixels = images.cpu().numpy()
        dtype = DTYPES[taken.type]
        fed = np.rint(pixels).astype(dtype) if dtype is np.uint8 else pixels.astype(dtype)
        names = [one.name for one in self.session.get_outputs()]
        return Ordered(zip(names, self.session.run(names, {taken.name: fed}), strict=True))


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return the graph in a file, with a card that states the sizes that it was exported for."""
    without_weights(weights, f"onnx:{name}")
    path = existing(name, "an ONNX file")
    onnx = package("onnx", "onnx")
    with reading(f"{name} to be an ONNX graph that onnxruntime runs", "export it again"):
        graph = onnx.load(str(path), load_external_data=False).graph
        session = Session(path, device)
    batch, rows, columns, dtype = _input(session, name)
    card = Card(
        id=f"onnx:{path.stem}",
        architecture="onnx",
        dataset="",
        class_names=(),
        # A graph that takes bytes normalises them itself.
        std=(1.0, 1.0, 1.0) if dtype is np.uint8 else (255.0, 255.0, 255.0),
        test_size=(rows, columns) if isinstance(rows, int) and isinstance(columns, int) else None,
    )
    network = ForeignNetwork(
        session,
        card.id,
        remade=functools.partial(Session, path, device),
        batch_size=batch if isinstance(batch, int) else None,
        hidden_parameters=_parameters(onnx, graph),
    )
    return Foreign(card, network.eval(), _sha256(onnx, graph, path))


def _input(session: Session, name: str) -> tuple[Any, Any, Any, Any]:
    """Return N, H, W and the type that the graph takes; a size left open is None or a name."""
    inputs = session.session.get_inputs()
    taken = inputs[0]
    if len(inputs) != 1 or len(taken.shape) != 4 or taken.shape[1] != 3 or taken.type not in DTYPES:
        raise InputError(
            f"Expected {name} to take one batch of images (N, 3, H, W) of float or uint8, but it takes "
            f"{', '.join(f'{one.name} {one.shape} {one.type}' for one in inputs)}: export it that way."
        )
    batch, _, rows, columns = taken.shape
    return batch, rows, columns, DTYPES[taken.type]


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
