"""What image files say before their pixels are decoded."""

from __future__ import annotations

from pathlib import Path

from robseg.datasets.files.pixels import DECODING_ERRORS, opened

__all__ = ["read_palette"]


def read_palette(path: Path) -> bytes:
    """Return the colours of a file's palette, empty if it has none or cannot be read."""
    try:
        with opened(path) as image:
            palette = image.palette if image.mode == "P" else None
            return b"" if palette is None else bytes(palette.getdata()[1])
    except DECODING_ERRORS:  # reading the pixels will say why
        return b""
