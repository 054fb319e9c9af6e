"""Lists of image names in text files, one name a line."""

from __future__ import annotations

import codecs
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from robseg.datasets.files.faults import Fault, refuse, some
from robseg.datasets.files.layout import composed
from robseg.errors import InputError

__all__ = ["choose", "read_list"]


def read_list(file: Path) -> list[str]:
    """Return the lines of a text file that are not empty; UTF-8, or UTF-16 with a byte order mark."""
    try:
        content = file.read_bytes()
        is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"Expected a list of image names '{file}', but cannot read it ({reason}): check the path."
        ) from error
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise InputError(f"Expected image names in '{file}', but it is empty: write one name a line.")
    return names


def choose(images: Mapping[str, Path], list_file: Path, root: Path) -> dict[str, Path]:
    """Return the images {id: file} that a list names by id, by file name, or by path below `root`.

    The ending may be left out. A name that fits no image, or several, is an error.
    """
    ids = defaultdict(set)
    for key, file in images.items():
        path = composed(Path(os.path.relpath(file, root)).as_posix())
        for name in (key, path, path.rsplit("/", 1)[-1]):
            ids[name].add(key)
            ids[name.removesuffix(file.suffix)].add(key)
    chosen, missing = {}, []
    for name in read_list(list_file):
        found = ids.get(composed(name).replace("\\", "/").removeprefix("./"), set())
        if len(found) == 1:
            [key] = found
            chosen[key] = images[key]
        elif found:
            came = f"there are {len(found)}: {', '.join(sorted(found)[:3])}"
            refuse(_wrong([name], list_file, came))
        else:
            missing.append(name)
    if missing:
        refuse(_wrong(missing, list_file, "there is none"))
    return chosen


def _wrong(names: Sequence[str], list_file: Path, came: str) -> Fault:
    return Fault(
        f"Expected one image for {some(names)} in '{list_file}', but {came}. "
        "Write the path of the image below the folder of the dataset.toml.",
        "name in a list that fits no single image",
        names,
    )
