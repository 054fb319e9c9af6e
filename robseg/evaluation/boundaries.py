"""Counts near the boundaries of classes: what trimap mIoU and boundary IoU are made of.

Distances are in pixels and count diagonal steps as one: a pixel is near a boundary at width w if the square
of side 2 w + 1 around it holds a labelled pixel of another class. A boundary against ignored pixels is none,
and what is predicted there does not count.

- Trimap (Kohli et al., IJCV 2009): all counts, over the pixels that are near a boundary of the target. The
  image's border is no boundary.
- Boundary IoU (Cheng et al., CVPR 2021, arXiv:2103.16562): of each class, the inner band of its mask in the
  target against that in the prediction. As in the authors' program, which erodes with a 3x3 square w times,
  the image's border bounds every mask.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.record import BOUNDARY, TRIMAP, region_name
from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError
from robseg.evaluation.counts import Counts, count

__all__ = ["Bands", "Edges", "check_widths", "count_boundaries", "edges_of", "near_boundary"]

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class Bands(NamedTuple):
    """A target's labels near boundaries, IGNORE_INDEX elsewhere, uint8 (H, W).

    `trimap` is without the image's border, `inner` with it.
    """

    trimap: Labels
    inner: Labels


@dataclasses.dataclass(frozen=True)
class Edges:
    """A target's bands by width, and its `ignored` pixels, bool (H, W): made once for all predictions."""

    ignored: Mask
    bands: Mapping[int, Bands]


def check_widths(widths: Sequence[int]) -> None:
    """Raise InputError unless widths of boundaries are whole, at least 1, and each there once."""
    if any(not isinstance(width, int) or width < 1 for width in widths) or len(set(widths)) != len(widths):
        raise InputError(
            f"Expected widths of boundaries to be different numbers of pixels from 1 on, but got "
            f"{', '.join(map(str, widths))}: give some such as 2,5."
        )


def edges_of(target: Labels, widths: Sequence[int], ignore_index: int = IGNORE_INDEX) -> Edges:
    """Return what the predictions of an image are counted against."""
    ignored = target == ignore_index
    near = {width: near_boundary(target, ignored, width) for width in widths}
    return Edges(
        ignored,
        {
            width: Bands(_only(target, mask), _only(target, _with_border(mask, ignored, width)))
            for width, mask in near.items()
        },
    )


def count_boundaries(prediction: Labels, edges: Edges, num_classes: int) -> dict[str, Counts]:
    """Count an image's pixels near boundaries by class, for each region: both kinds at every width.

    Examples
    --------
    >>> import numpy as np
    >>> target = np.repeat(np.array([[0, 0, 0, 1, 1, 1]], np.uint8), 3, axis=0)
    >>> counts = count_boundaries(target, edges_of(target, [1]), 2)
    >>> counts["trimap-1"].tp, counts["boundary-1"].tp
    (array([3, 3]), array([8, 8]))
    """
    counts = {}
    for width, bands in edges.bands.items():
        near = near_boundary(prediction, edges.ignored, width)
        inner = _only(prediction, _with_border(near, edges.ignored, width))
        counts[region_name(TRIMAP, width)] = count(prediction, bands.trimap, num_classes)
        counts[region_name(BOUNDARY, width)] = _count_bands(inner, bands.inner, num_classes)
    return counts


def near_boundary(labels: Labels, ignored: Mask, width: int) -> Mask:
    """Return which pixels have another label within `width` pixels; none that are ignored take part.

    Parameters
    ----------
    labels, ignored
        uint8 and bool, (H, W).
    """
    hidden = ignored.view(np.uint8) * np.uint8(255)
    # Where the largest or the smallest label around a pixel is not its own, there is another one.
    largest = _around(labels & ~hidden, width, np.maximum, 0)
    smallest = _around(labels | hidden, width, np.minimum, 255)
    near: Mask = ((largest != labels) | (smallest != labels)) & ~ignored
    return near


def _around(labels: Labels, width: int, extreme: np.ufunc, neutral: int) -> Labels:
    """Return the extreme over the square of side 2 width + 1 around each pixel, (H, W)."""
    width = min(width, max(labels.shape))
    found = np.pad(labels, width, constant_values=neutral)
    for before, middle, after in _thirds(width):
        found = extreme(extreme(found[before], found[after]), found[middle])
    for before, middle, after in _thirds(width):
        found = extreme(extreme(found[:, before], found[:, after]), found[:, middle])
    return found


def _thirds(width: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield steps to a window of 2 width + 1: the three shorter windows that make up the next one."""
    reach = 0
    while reach < width:
        # Windows that touch make one that is three times as long: few steps even for wide bands.
        step = min(2 * reach + 1, width - reach)
        yield slice(None, -2 * step), slice(step, -step), slice(2 * step, None)
        reach += step


def _with_border(near: Mask, ignored: Mask, width: int) -> Mask:
    """Return the band with the labelled pixels that are near the image's border."""
    band = near.copy()
    for edge in (band[:width], band[-width:], band[:, :width], band[:, -width:]):
        edge[...] = True
    return band & ~ignored


def _only(labels: Labels, band: Mask) -> Labels:
    """Return the labels in a band, IGNORE_INDEX elsewhere."""
    return labels | (~band).view(np.uint8) * np.uint8(IGNORE_INDEX)


def _count_bands(prediction: Labels, target: Labels, num_classes: int) -> Counts:
    """Count the pixels of bands by class, each as labels that are IGNORE_INDEX outside of it."""
    # As in `count`, but what only one of the two has in its band counts as well.
    codes = (target.astype(np.uint16) << 8) | prediction
    matrix = np.bincount(codes.ravel(), minlength=1 << 16).reshape(256, 256)
    tp, fp, fn = (
        part[:num_classes].astype(np.int64)
        for part in (np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1))
    )
    return Counts(tp, fp - tp, fn - tp)
