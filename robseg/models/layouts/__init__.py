"""Layouts, one module per upstream: how it names and orders the tensors of its checkpoints.

Our own names are those of mmsegmentation 1.x, so its layout is what no other module recognises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from robseg.models.layouts.published import MMSEG_INPUT, Published
from robseg.registry import Registry

__all__ = ["LAYOUTS", "native"]

# A layout's NATIVE holds for each architecture how to bring its checkpoints to our names, None for another's.
LAYOUTS: Registry[Mapping[str, Callable[[dict[str, Tensor]], Published | None]]] = Registry(
    "layout", __name__, "NATIVE", besides=("mmseg", "published")
)


def native(architecture: str, state_dict: dict[str, Tensor]) -> Published:
    """Return a checkpoint of an architecture under our names, whichever upstream it comes from."""
    for layout in LAYOUTS.values():
        found = layout[architecture](state_dict) if architecture in layout else None
        if found is not None:
            return found
    return Published("mmseg", state_dict, MMSEG_INPUT)
