"""The shards hold every missing row once, whatever is on disk."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.run.record import Condition
from robseg.errors import InputError
from robseg.evaluation import resolve
from robseg.evaluation.conditions import CLEAN_CONDITION, conditions_of, names_of
from robseg.evaluation.request import Request
from robseg.evaluation.shards import RowKey, Shard, missing_shards

CONDITIONS = (CLEAN_CONDITION, Condition("fog", 1, "weather"), Condition("fog", 3, "weather"))


TALLIES = ("confusion", "trimap-2")


def rows(shards: list[Shard]) -> list[RowKey]:
    return [key for shard in shards for tally in shard.tallies for key in shard.rows(tally)]


@given(st.integers(1, 40), st.sets(st.integers(0, 10_000)))
def test_shards_and_disk_make_up_the_grid_without_overlap(number: int, on_disk: set[int]) -> None:
    images = [f"i{index}" for index in range(number)]
    every = rows(missing_shards(CONDITIONS, images, ["a", "b"], TALLIES, set()))
    assert len(every) == len(set(every)) == 3 * 2 * 2 * number
    done = {key for index, key in enumerate(every) if index in on_disk}
    missing = rows(missing_shards(CONDITIONS, images, ["a", "b"], TALLIES, done))
    assert len(missing) == len(set(missing))
    assert set(missing) == set(every) - done


def test_clean_images_come_first() -> None:
    shards = missing_shards(CONDITIONS, [f"i{index}" for index in range(30)], ["a"], ["confusion"], set())
    blocks = sum(shard.condition == CLEAN_CONDITION for shard in shards)
    assert blocks > 1
    assert all(shard.condition == CLEAN_CONDITION for shard in shards[:blocks])


def test_models_share_a_shard_so_that_they_share_its_images() -> None:
    shards = missing_shards(CONDITIONS, ["x"], ["a", "b"], TALLIES, set())
    assert all(shard.models == ("a", "b") for shard in shards)


def test_a_content_key_depends_on_everything_that_counts_depend_on() -> None:
    shard = Shard(CONDITIONS[1], (0,), ("x",), ("a",), TALLIES)
    others = [
        dataclasses.replace(shard, condition=CONDITIONS[2]),
        dataclasses.replace(shard, images=("y",)),
        dataclasses.replace(shard, models=("b",)),
    ]
    keys = {
        shard.content_key("confusion", "context"),
        shard.content_key("confusion", "other"),
        shard.content_key("trimap-2", "context"),
        *(other.content_key("confusion", "context") for other in others),
    }
    assert len(keys) == 6
    alone = Shard(CONDITIONS[1], (7,), ("x",), ("a",), ("confusion",))
    assert alone.content_key("confusion", "context") == shard.content_key("confusion", "context")


def test_names_groups_and_subsets_mix_and_count_once() -> None:
    assert names_of(["none"]) == ()
    assert names_of(["fog", "weather"])[0] == "fog"
    assert sorted(names_of(["fog", "weather"])) == sorted(names_of(["weather"]))


@pytest.mark.parametrize(("name", "said"), [("fgo", "fog"), ("", "corruption")])
def test_a_misspelt_corruption_is_an_input_error(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        names_of(["snow", name])


@pytest.mark.parametrize("typed", ["fog,", " fog,,fog", ["fog"], ("fog", "fog")])
def test_commas_between_corruptions_may_be_too_many(typed: Sequence[str]) -> None:
    assert resolve.conditions(Request("enet", corruptions=typed, severities=[3])) == (
        CLEAN_CONDITION,
        Condition("fog", 3, "weather"),
    )


def test_all_corruptions_are_the_default_and_an_empty_list_is_refused() -> None:
    assert resolve.conditions(Request("enet")) == resolve.conditions(Request("enet", corruptions="all"))
    assert resolve.conditions(Request("enet", corruptions="none")) == (CLEAN_CONDITION,)
    with pytest.raises(InputError, match="Expected corruptions, but got an empty list"):
        resolve.conditions(Request("enet", corruptions=[]))


@pytest.mark.parametrize("corruptions", [None, "fog", "none"])
def test_an_empty_list_of_severities_is_refused(corruptions: str | None) -> None:
    with pytest.raises(InputError, match="Expected severities, but got an empty list"):
        resolve.conditions(Request("enet", corruptions=corruptions, severities=[]))


@pytest.mark.parametrize("given", [{"corruptions": "all"}, {"severities": [3]}])
def test_a_protocol_stands_alone(given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="Expected a protocol alone"):
        resolve.conditions(Request("enet", protocol="mpc", **given))


def test_a_severity_outside_1_to_5_is_refused() -> None:
    with pytest.raises(InputError, match="a severity of fog from 1 to 5, but got 6"):
        conditions_of([("fog", 6)])


def test_corrupted_images_come_severity_by_severity_within_a_block() -> None:
    conditions = (
        CLEAN_CONDITION,
        *(Condition(name, s, "weather") for name in ("fog", "snow") for s in (1, 3)),
    )
    shards = missing_shards(conditions, ["x"], ["a"], ["confusion"], set())
    assert [(shard.condition.corruption, shard.condition.severity) for shard in shards] == [
        ("clean", 0), ("fog", 1), ("snow", 1), ("fog", 3), ("snow", 3)
    ]  # fmt: skip
