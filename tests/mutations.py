"""Values of JSON and TOML files as a careless hand, another program or an attacker may change them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.run.errors import InputError

__all__ = ["DEPTHS", "NUMBERS", "fuzz", "mutated", "nested"]

NUMBERS = [200, pytest.param(2000, marks=pytest.mark.slow)]
DEPTHS = [100, 500, 100_000]  # within and beyond what the parsers of Python take

HUGE = 10**400  # too large for a float

WRONG = st.one_of(
    st.sampled_from(
        [None, True, False, "", "x", "\ud800", "\x00", "\x1b[2J\n", [], {}, [[]], [None], ["x", "x"], {"": 0}]
    ),
    st.sampled_from([0, 1, -1, 300, 2**31, 2**63, 2**64, -(2**70), HUGE, -HUGE]),
    st.sampled_from([0.5, -0.5, 1e308, float("nan"), float("inf"), -float("inf")]),
    st.text(max_size=5),
    st.lists(st.integers() | st.text(max_size=2), max_size=4),
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """Return a copy of a value of JSON in which one node, deep or not, is replaced, added or left out."""
    if not isinstance(value, dict | list) or not value:
        return draw(WRONG)
    change = draw(st.sampled_from(["deeper"] * 7 + ["replace", "leave out", "add"]))
    if change == "replace":
        return draw(WRONG)
    copy = value.copy()
    key: Any = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    if change == "deeper":
        copy[key] = draw(mutated(value[key]))
    elif change == "leave out":
        del copy[key]
    elif isinstance(copy, dict):
        copy[draw(st.text(max_size=3))] = draw(WRONG)
    else:
        copy.insert(key, copy[key] if draw(st.booleans()) else draw(WRONG))
    return copy


def fuzz(number: int, cases: st.SearchStrategy[Any], read: Callable[[Any], object]) -> None:
    """Have a reader read some cases. It may refuse them, in one or two lines, and raise nothing else."""

    @settings(max_examples=number, deadline=None, database=None)
    @given(cases)
    def one(case: Any) -> None:
        message = "one line"
        try:
            read(case)
        except InputError as error:
            message = str(error)
        assert len(message.splitlines()) in (1, 2)

    one()


def nested(depth: int) -> str:
    """Return lists in each other, as JSON and TOML write them."""
    return "[" * depth + "]" * depth
