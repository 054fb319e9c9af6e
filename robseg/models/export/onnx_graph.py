"""A program as an ONNX graph, which both ONNX Runtime and OpenVINO read."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch
from torch.export import ExportedProgram

__all__ = ["onnx_graph"]


def onnx_graph(program: ExportedProgram) -> Any:
    """Return a program as an onnx.ModelProto with its weights inside."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 - prints steps
        made: Any = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=["images"], output_names=["logits"]
        )
    return made.model_proto
