"""`onnx`: a graph that onnxruntime and many other engines run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor
from torch.export import ExportedProgram

from reports.run.files import write_atomically
from robseg.models.export.onnx_graph import onnx_graph
from robseg.models.export.targets import Precision, Target
from robseg.models.foreign.embedded import KEY

__all__ = ["TARGET"]


def write(
    program: ExportedProgram, text: str, path: Path, _precision: Precision, _images: Sequence[Tensor]
) -> None:
    """Write the graph with its weights to one file, with the text among its metadata."""
    graph = onnx_graph(program)
    graph.metadata_props.add(key=KEY, value=text)
    write_atomically(path, graph.SerializeToString())


TARGET = Target(".onnx", {"fp32": ("onnx", "onnxscript")}, write)
