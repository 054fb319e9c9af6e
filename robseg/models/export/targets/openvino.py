"""`openvino`: a graph that Intel's OpenVINO runs on CPUs, in fp32, bf16 or int8."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor
from torch.export import ExportedProgram

from reports.run.files import write_atomically
from robseg.models.export.onnx_graph import onnx_graph
from robseg.models.export.targets import Precision, Target
from robseg.models.foreign.embedded import KEY, WEIGHTS_KEY
from robseg.models.foreign.reading import package

__all__ = ["TARGET"]


def write(
    program: ExportedProgram, text: str, path: Path, precision: Precision, images: Sequence[Tensor]
) -> None:
    """Write the graph, and beside it its weights (.bin); int8 suits the values that the images lead to."""
    openvino = package("openvino", "openvino")
    # OpenVINO's own conversion of programs leads to worse int8.
    graph = openvino.Core().read_model(onnx_graph(program).SerializeToString())
    if precision == "int8":
        logging.getLogger("nncf").setLevel(logging.ERROR)
        nncf = package("nncf", "export")
        data = nncf.Dataset([image.numpy() for image in images])
        graph = nncf.quantize(graph, data, subset_size=len(images))
    graph.set_rt_info(text, [KEY])
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.xml"
        weights = made.with_suffix(".bin")
        openvino.save_model(graph, str(made), compress_to_fp16=False)
        graph.set_rt_info(hashlib.sha256(weights.read_bytes()).hexdigest(), [WEIGHTS_KEY])
        openvino.save_model(graph, str(made), compress_to_fp16=False)
        write_atomically(path.with_suffix(".bin"), weights.read_bytes())
        write_atomically(path, made.read_bytes())


NEEDED = ("onnx", "onnxscript", "openvino")
TARGET = Target(".xml", {"fp32": NEEDED, "bf16": NEEDED, "int8": (*NEEDED, "nncf")}, write)
