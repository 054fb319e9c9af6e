"""Offsets on disk, as SegFix's authors publish them: one MATLAB file for each image."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from reports.run.files import write_atomically
from robseg.errors import InputError

__all__ = ["VARIABLE", "read_offsets", "write_offsets"]

VARIABLE = "mat"


def read_offsets(path: Path) -> NDArray[np.int8]:
    """Return the offsets (H, W, 2), (dy, dx), of a file's variable `mat`.

    Raises
    ------
    InputError
        If there is no such file, or it does not hold integer offsets from -127 to 127.
    """
    if not path.is_file():
        raise InputError(f"Expected offsets at {path}, but there is no such file: check the folder.")
    try:
        content: dict[str, Any] = scipy.io.loadmat(path)
    except (ValueError, TypeError, OSError, NotImplementedError, EOFError, IndexError) as error:
        raise InputError(
            f"Expected a MATLAB file of offsets in {path}, but it cannot be read ({error}): write it again."
        ) from error
    offsets = content.get(VARIABLE)
    found = "none" if not isinstance(offsets, np.ndarray) else f"{offsets.dtype} {offsets.shape}"
    if not isinstance(offsets, np.ndarray) or offsets.ndim != 3 or offsets.shape[2] != 2 or not offsets.size:
        raise InputError(
            f"Expected a variable '{VARIABLE}' (H, W, 2) in {path}, but got {found}: "
            "write (dy, dx) of each pixel."
        )
    with np.errstate(invalid="ignore"):  # values that do not fit are found below
        whole = offsets.astype(np.int8) if offsets.dtype.kind in "iuf" else None
    if whole is None or not np.array_equal(whole, offsets):
        raise InputError(
            f"Expected integers from -127 to 127 in {path}, but got {found} with other values: correct them."
        )
    return whole


def write_offsets(path: Path, offsets: NDArray[np.integer]) -> None:
    """Write offsets (H, W, 2), (dy, dx), to a file that SegFix's own tools can read."""
    if offsets.ndim != 3 or offsets.shape[2] != 2 or offsets.dtype.kind not in "iu":
        raise ValueError(
            f"Expected `offsets` to be integers (H, W, 2), but got {offsets.dtype} {offsets.shape}: "
            "give (dy, dx) of each pixel."
        )
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {VARIABLE: offsets}, do_compression=True)
    write_atomically(path, buffer.getvalue())
