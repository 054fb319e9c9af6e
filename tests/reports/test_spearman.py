"""Rank correlations and their p-values agree with scipy's and with what is computed by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from reports.ranks.spearman import orders, p_of_orders, spearman

numbers = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=8)


@given(numbers)
def test_spearman_agrees_with_scipy_ties_included(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs, float).T
    ours = spearman(first[:, None], second[:, None])[0]
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(scipy.stats.spearmanr(first, second).statistic)


def test_spearman_with_ties_equals_what_is_computed_by_hand() -> None:
    first = np.array([1.0, 2.0, 2.0, 4.0])  # ranks 1, 2.5, 2.5, 4; squares of what they differ from 2.5: 4.5
    second = np.array([10.0, 30.0, 20.0, 40.0])  # ranks 1, 3, 2, 4: 5
    products = 1.5 * 1.5 + 0 + 0 + 1.5 * 1.5
    assert spearman(first[:, None], second[:, None])[0] == pytest.approx(products / np.sqrt(4.5 * 5))


def test_replicates_are_ranked_each_by_itself() -> None:
    first = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    second = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert spearman(first, second).tolist() == [1.0, -1.0]


@pytest.mark.parametrize("first", [[1.0, 2.0], [1.0, 1.0, 1.0], [1.0, np.nan, 3.0]])
def test_what_cannot_be_ranked_has_no_rank_correlation(first: list[float]) -> None:
    values = np.array(first)[:, None]
    assert np.isnan(spearman(values, np.arange(len(first), dtype=float)[:, None])).all()


@pytest.mark.parametrize("items", [3, 5, 7])
def test_p_of_full_agreement_is_one_order_of_all(items: int) -> None:
    values = np.arange(items, dtype=float)
    every = orders(items)
    assert len(np.unique(every, axis=1).T) == every.shape[1]
    assert p_of_orders(spearman(values[:, None], values[every])) == pytest.approx(1 / every.shape[1])
    assert p_of_orders(spearman(values[:, None], values[::-1][every])) == 1.0


def test_p_of_many_items_is_near_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=22)
    second = first + 2.5 * rng.normal(size=22)
    exact = scipy.stats.spearmanr(first, second, alternative="greater").pvalue
    ours = p_of_orders(spearman(first[:, None], second[orders(22)]))
    assert 0.01 < exact < 0.4
    assert ours == pytest.approx(exact, abs=0.015)


def test_p_is_undefined_where_the_rank_correlation_is() -> None:
    assert np.isnan(p_of_orders(spearman(np.ones((4, 1)), np.arange(4.0)[orders(4)])))
