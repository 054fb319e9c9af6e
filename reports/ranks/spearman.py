"""Spearman's rank correlation of many replicates at once, and how often chance alone reaches it.

Spearman, American Journal of Psychology 1904. Tied items share the mean of their ranks.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["orders", "p_of_orders", "spearman"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

FEWEST = 3  # items; the order of two items agrees by chance half of the time
EXACT = 7  # items; up to this number, every order is tried
DRAWN = 10_000  # random orders, for more items
SAME = 1e-9  # rank correlations that differ by less are equal up to rounding


def spearman(first: Floats, second: Floats) -> Floats:
    """Return the rank correlation, -1..1, of items (..., I, R) with replicates, (..., R).

    It is NaN if there are fewer than three items, if an item is NaN, or if all items of a side are tied.

    Examples
    --------
    >>> first, second = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[10.0], [30.0], [20.0], [40.0]])
    >>> spearman(first, second).round(3).tolist()
    [0.8]
    """
    a, b = _centred_ranks(first), _centred_ranks(second)
    shared = (a * b).sum(axis=-2)
    spread = np.sqrt((a**2).sum(axis=-2) * (b**2).sum(axis=-2))
    defined = (spread > 0) & (first.shape[-2] >= FEWEST)
    rho: Floats = np.divide(shared, spread, out=np.full(shared.shape, np.nan), where=defined)
    return rho


def orders(items: int) -> Places:
    """Return orders of items, (I, P), the given one first: all of up to seven items, else 10,000.

    Examples
    --------
    >>> orders(3).T.tolist()
    [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    """
    if items <= EXACT:
        return np.array(list(itertools.permutations(range(items))), np.intp).T
    given = np.arange(items)
    drawn = np.random.default_rng(0).permuted(np.tile(given, (DRAWN - 1, 1)), axis=1)
    return np.concatenate([given[None], drawn]).T


def p_of_orders(rho: Floats) -> Floats:
    """Return the one-sided p-value of correlations (..., P) under `orders`: the share as high as the first.

    Examples
    --------
    >>> items = np.array([1.0, 2.0, 3.0])
    >>> p_of_orders(spearman(items[:, None], items[orders(3)])).round(3).tolist()
    0.167
    """
    found = rho[..., :1]
    share = (rho >= found - SAME).mean(axis=-1)
    return np.where(np.isnan(found[..., 0]), np.nan, share)


def _centred_ranks(values: Floats) -> Floats:
    """Return the ranks of items (..., I, R) minus their mean; all are NaN if an item is."""
    ranks: Floats = rankdata(values, axis=-2) - (values.shape[-2] + 1) / 2
    return ranks
