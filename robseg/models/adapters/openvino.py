"""`openvino:FILE`: a graph that OpenVINO runs on the CPU, FILE.xml with its weights in FILE.bin."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.embedded import KEY, WEIGHTS_KEY, embedded_in
from robseg.models.foreign.outputs import Ordered
from robseg.models.foreign.reading import Foreign, Weights, existing, package, reading, without_weights
from robseg.models.foreign.statistics import unreported

__all__ = ["load"]

# OpenVINO would compute in bf16 by itself where the CPU has it.
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


class Compiled:
    """A graph as a callable from images (N, 3, H, W) to its outputs by name."""

    def __init__(self, path: Path, precision: str) -> None:
        core = _openvino().Core()
        self.graph = core.read_model(str(path))
        # One thread, as everywhere in a run: results must not depend on the number of cores.
        options = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
        }
        self.request = core.compile_model(self.graph, "CPU", options).create_infer_request()

    def __call__(self, images: Tensor) -> Ordered:
        """Return the graph's outputs."""
        answers = self.request.infer([images.cpu().numpy()])
        return Ordered((str(number), answer.copy()) for number, answer in enumerate(answers.values()))


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return the graph in a file, with the card inside if `robseg export` wrote it."""
    without_weights(weights, f"openvino:{name}")
    path = existing(name, "a graph of OpenVINO")
    data = path.with_suffix(".bin")
    if device.type != "cpu":
        raise InputError(f"Expected --device cpu for openvino:{name}, but got {device}: use onnx: on a GPU.")
    if not data.is_file():
        raise InputError(f"Expected the weights of {name} in {data.name} beside it: copy both files.")
    with reading(f"{name} to be a graph that OpenVINO runs", "export it again"):
        graph = _openvino().Core().read_model(str(path))
    own = embedded_in(_metadata(graph, KEY), name)
    digest = sha256_of(data)
    if own and _metadata(graph, WEIGHTS_KEY) != digest:
        raise InputError(
            f"Expected {data.name} to hold the weights of {name}, but they are those of another export: copy "
            "both files, or export the model again."
        )
    precision = own.precision if own else "fp32"
    with reading(f"{name} to be a graph that OpenVINO runs", "export it again"):
        compiled = Compiled(path, precision)
    batch, rows, columns = _shape(compiled.graph, name)
    card = (
        own.card_of("openvino", path.stem)
        if own
        else Card(
            id=f"openvino:{path.stem}",
            architecture="openvino",
            dataset="",
            class_names=(),
            test_size=(rows, columns) if rows and columns else None,
        )
    )
    network = ForeignNetwork(
        compiled,
        card.id,
        remade=functools.partial(Compiled, path, precision),
        batch_size=batch,
    )
    sha256 = hashlib.sha256(f"{sha256_of(path)}{digest}".encode()).hexdigest()
    return Foreign(card, network.eval(), sha256)


def _openvino() -> Any:
    with unreported():
        return package("openvino", "openvino")


def _metadata(graph: Any, key: str) -> str:
    return str(graph.get_rt_info([key]).value) if graph.has_rt_info([key]) else ""


def _shape(graph: Any, name: str) -> tuple[int | None, int | None, int | None]:
    """Return the number of images that a graph takes, and their sides; None for what it leaves open."""
    shapes = [one.partial_shape for one in graph.inputs]
    if len(shapes) == 1 and shapes[0].rank.is_static and len(shapes[0]) == 4:
        batch, channels, rows, columns = (side.get_length() if side.is_static else None for side in shapes[0])
        if channels in {3, None}:
            return batch, rows, columns
    raise InputError(
        f"Expected {name} to take one batch of images (N, 3, H, W), but it takes "
        f"{', '.join(map(str, shapes)) or 'nothing'}: export it that way."
    )
