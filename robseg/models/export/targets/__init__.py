"""The kinds of files that models are exported to. Each is a module with TARGET, found by its name.

A model that was written as `NAME` is read again by the adapter of that name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from robseg.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

__all__ = ["TARGETS", "Precision", "Target"]

Precision = Literal["fp32", "bf16", "int8"]


@dataclasses.dataclass(frozen=True)
class Target:
    """A kind of file: its ending, how it is written, and the packages that each precision needs.

    `write` takes a program, what goes into the metadata, the file, the precision, and network inputs
    (1, 3, H, W) for int8.
    """

    suffix: str
    packages: Mapping[Precision, Sequence[str]]
    write: Callable[[ExportedProgram, str, Path, Precision, Sequence[Tensor]], None]


TARGETS: Registry[Target] = Registry("target", __name__, "TARGET")
