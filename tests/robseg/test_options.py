"""Options from the fields of a dataclass: what they hold, and what is said to a wrong value."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robseg.errors import InputError
from robseg.options import POSITIVE, SHARE, Flag, Range, described, fields, settle, to_toml


@dataclasses.dataclass(frozen=True)
class Bake:
    """A record with a field of each kind."""

    cake: Annotated[str, "Cake to bake."]
    minutes: Annotated[int | None, "Minutes in the oven.", POSITIVE] = None
    heat: Annotated[float, "Share of the full heat.", SHARE] = 0.5
    fan: Annotated[bool, "Use the fan."] = False
    shelf: Annotated[Literal["low", "high"], "Shelf."] = "low"
    tin: Annotated[tuple[int, int], "Width and height of the tin.", Range(least=10, below=50)] = (20, 30)
    eggs: Annotated[tuple[int, ...], "Sizes of the eggs.", Flag(commas=True)] = ()
    book: Annotated[Path | str | None, "Recipe book.", "A path is fine too."] = None
    guests: Annotated[Any | None, "Whom to invite.", Flag(shell=False)] = None
    spices: Annotated[dict[str, Any], "Spices by amount."] = dataclasses.field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        settle(self)


def test_a_field_without_a_help_text_is_not_an_option() -> None:
    assert list(fields(Bake)) == [field.name for field in dataclasses.fields(Bake)][:-1]


def test_a_record_holds_what_was_read_from_its_values() -> None:
    values: dict[str, Any] = {
        "cake": "pie",
        "heat": 1,
        "tin": [10, 49],
        "eggs": "1-3,7",
        "book": "a.pdf",
        "spices": {"a": [1]},
    }
    bake = Bake(**values)
    assert (bake.tin, bake.eggs, bake.book) == ((10, 49), (1, 2, 3, 7), Path("a.pdf"))
    assert (bake.heat, bake.spices) == (1.0, {"a": (1,)})
    assert Bake(cake="pie", eggs=3).eggs == (3,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("minutes", 0, "a whole number above 0"),
        ("minutes", 1.5, "a whole number above 0"),
        ("minutes", True, "a whole number above 0"),
        ("heat", 1.1, "a number from 0 to 1"),
        ("heat", float("nan"), "a number from 0 to 1"),
        ("heat", "hot", "a number from 0 to 1"),
        ("fan", 1, "true or false"),
        ("fan", None, "true or false"),
        ("shelf", "middle", "low or high"),
        ("tin", 20, "2 whole numbers of at least 10 and below 50"),
        ("tin", [20], "2 whole numbers of at least 10 and below 50"),
        ("tin", [20, 50], "a whole number of at least 10 and below 50"),
        ("eggs", "a-b", "whole numbers, such as 3, 1,3,5 or 1-3"),
        ("eggs", "", "whole numbers, such as 3, 1,3,5 or 1-3"),
        ("eggs", "1-3,5-4", "whole numbers, such as 3, 1,3,5 or 1-3"),
        ("book", 3, "a path"),
        ("spices", 3, "a table"),
        ("cake", 3, "text"),
    ],
)
def test_a_wrong_value_is_reported_with_what_was_expected(name: str, value: object, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        Bake(**{"cake": "pie", name: value})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"Expected `{name}` to be {expected}, but got ")


def test_a_documentation_has_every_option_and_what_is_for_python_only() -> None:
    text = described(Bake)
    assert "book\n    Recipe book. A path is fine too." in text
    assert text.count("\n    ") == len(fields(Bake))


@example({"a": 'a "quoted" \\ \x7f \n\t text'})
@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.integers(-(2**60), 2**60),
            st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
            st.booleans(),
            st.lists(st.integers(-5, 5)),
            st.dictionaries(st.sampled_from("xyz"), st.integers(-5, 5)),
        ),
    )
)
def test_what_is_written_as_toml_is_read_as_the_same(values: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(values)) == values
