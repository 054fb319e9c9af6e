"""`pt2`: a program of torch.export, which torch itself runs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from reports.run.files import write_atomically
from robseg.models.export.targets import Precision, Target
from robseg.models.foreign.embedded import KEY

__all__ = ["TARGET"]


def write(
    program: ExportedProgram, text: str, path: Path, _precision: Precision, _images: Sequence[Tensor]
) -> None:
    """Write the program, with the text as an extra file."""
    program.example_inputs = None  # else the file holds the image of the trace
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={KEY: text})
    write_atomically(path, file.getvalue())


TARGET = Target(".pt2", {"fp32": ()}, write)
