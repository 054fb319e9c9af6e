"""Write pictures."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from reports.run.files import write_atomically

__all__ = ["write_png"]


def write_png(path: Path, image: Image.Image) -> None:
    """Write an image as a PNG file, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    content = io.BytesIO()
    image.save(content, "PNG")
    write_atomically(path, content.getvalue())
