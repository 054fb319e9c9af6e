"""Whether the targets of a data set were drawn on images as viewers show them, or as they are stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from robseg.datasets.files.contents import Content
from robseg.datasets.files.layout import Pair

__all__ = ["turns"]

notes = logging.getLogger("robseg")


def turns(pairs: Sequence[Pair], contents: Sequence[tuple[Content, Content]]) -> bool:
    """Return whether images are turned as their EXIF orientation says where their targets fit both ways.

    The images whose targets fit one way only decide it. If there are none, or they disagree, images are
    turned. One line says so if a target fits both ways.
    """
    unclear: list[Pair] = []
    deciding: set[bool] = set()
    for pair, (image, target) in zip(pairs, contents, strict=True):
        if image.orientation == 1:
            continue
        fits_stored = target.size == image.size
        fits_turned = target.size == image.upright_size
        if fits_stored and fits_turned:
            unclear.append(pair)
        elif fits_stored or fits_turned:
            deciding.add(fits_turned)
    turned = deciding != {False}
    if unclear and len(deciding) == 1:
        notes.info(
            "Images with an EXIF orientation whose targets fit them both turned and as stored: %d, such as "
            "'%s'. They are %s, as other targets of the data set fit in this way only.",
            len(unclear),
            unclear[0].image,
            "turned" if turned else "left as stored",
        )
    elif unclear:
        notes.warning(
            "Images with an EXIF orientation whose targets fit them both turned and as stored: %d, such as "
            "'%s'. They are turned, as viewers show them: if the targets were drawn on the stored pixels, "
            "remove the orientation.",
            len(unclear),
            unclear[0].image,
        )
    return turned
