"""Checkpoints: read without executing anything in them, matched strictly, written atomically."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from robseg.errors import InputError

__all__ = ["fitted"]

# Batch norm's counter of training steps: of no effect in eval mode and absent from old files.
COUNTER = "num_batches_tracked"


def fitted(title: str, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return exactly the expected tensors, taken from a checkpoint; all of its tensors are used.

    Only batch norm's step counters may be absent (they become 0). `expected` may be on the meta device: its
    names and shapes are all that is looked at. Raises InputError with what is missing, unexpected or of
    another shape.
    """
    missing = [key for key in expected if key not in found and not key.endswith(COUNTER)]
    unexpected = [key for key in found if key not in expected]
    shapes = [
        f"{key} {list(found[key].shape)} instead of {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in found and found[key].shape != tensor.shape
    ]
    if missing or unexpected or shapes:
        faults = [
            _first("missing", missing),
            _first("unexpected", unexpected),
            _first("of another shape", shapes),
        ]
        raise InputError(
            f"Expected a checkpoint of {title}, but the tensors do not fit: "
            f"{'; '.join(fault for fault in faults if fault)}. "
            "Check that file and architecture belong together."
        )
    return {key: found[key] if key in found else torch.zeros((), dtype=torch.long) for key in expected}


def _first(what: str, names: Sequence[str], limit: int = 3) -> str:
    """Return `2 missing (a, b)`, naming the first few; an empty text for none."""
    if not names:
        return ""
    more = ", ..." if len(names) > limit else ""
    return f"{len(names)} {what} ({', '.join(names[:limit])}{more})"
