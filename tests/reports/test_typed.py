"""Values of files are what annotations say, or the error names the place of the wrong one."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
import pytest

from reports.run.errors import InputError
from reports.run.typed import Range, typed


class Facts(TypedDict):
    name: str
    size: NotRequired[int]


@dataclasses.dataclass(frozen=True)
class Cake:
    """A record with a field of each kind."""

    eggs: Annotated[tuple[int, ...], Range(least=1, most=6)]
    heat: float | None = None
    shelf: Literal[0, 1] = 0
    facts: Annotated[dict[str, Any], Facts] = dataclasses.field(default_factory=lambda: {"name": "pie"})
    layers: tuple["Cake", ...] = ()


def test_a_record_is_made_from_what_a_file_can_hold() -> None:
    raw = {"eggs": [1, 6], "heat": 2, "facts": {"name": "é", "more": [1, [2]]}, "layers": [{"eggs": []}]}
    cake = typed(Cake, raw, "")
    assert cake == Cake((1, 6), 2.0, 0, {"name": "é", "more": (1, (2,))}, (Cake(()),))
    assert type(cake.heat) is float


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"eggs": [7]}, "Expected `eggs[0]` to be a whole number from 1 to 6, but got 7."),
        ({"eggs": [True]}, "Expected `eggs[0]` to be a whole number from 1 to 6, but got True."),
        ({"eggs": [1.0]}, "Expected `eggs[0]` to be a whole number from 1 to 6, but got 1.0."),
        ({"eggs": "12"}, "Expected `eggs` to be whole numbers from 1 to 6, but got '12'."),
        ({"eggs": [], "heat": 10**400}, "Expected `heat` to be a number, but got a number of 1329 bits."),
        ({"eggs": [], "shelf": True}, "Expected `shelf` to be 0 or 1, but got True."),
        ({"eggs": [], "shelf": [0]}, "Expected `shelf` to be 0 or 1, but got [0]."),
        ({"eggs": [], "facts": {}}, "Expected `facts` to have name, which it lacks."),
        ({"eggs": [], "facts": {"name": "a", "size": "b"}}, "Expected `facts.size` to be a whole number"),
        (
            {"eggs": [], "facts": {"name": "a", "b\n": {"c": [1, set()]}}},
            "Expected `facts.'b\\n'.c[1]` to be",
        ),
        ({"eggs": [], "layers": [{}]}, "Expected `layers[0]` to have eggs, which it lacks."),
        ({"eggs": [], "layers": [{"egs": 1}]}, "Unknown field of layers[0] 'egs': did you mean 'eggs'?"),
        ({}, "Expected it to have eggs, which it lacks."),
        ([], "Expected `it` to be a table, but got []."),
    ],
)
def test_a_wrong_value_is_named_by_its_place(raw: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        typed(Cake, raw, "")
    assert str(caught.value).startswith(said)


def test_numbers_of_numpy_are_numbers() -> None:
    found = typed(float, np.float32(0.5), "a"), typed(int, np.int64(3), "a")
    assert (found, [*map(type, found)]) == ((0.5, 3), [float, int])


@pytest.mark.parametrize("path", ["a\0b", "\ud800", 3])
def test_a_path_is_one_that_a_file_can_have(path: object) -> None:
    with pytest.raises(InputError, match="Expected `a` to be a path"):
        typed(Path, path, "a")
