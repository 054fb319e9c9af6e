"""The plan holds every missing cell once, and knows nothing of order or workers."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.run.record import WHOLE, Condition
from robseg.errors import InputError
from robseg.evaluation.plan import CLEAN_CONDITION, Cell, Shard, grid, parse_corruptions, plan

CONDITIONS = (CLEAN_CONDITION, Condition("fog", 1, "weather"), Condition("fog", 3, "weather"))


def cells(shards: list[Shard]) -> list[Cell]:
    return [
        Cell(model, shard.condition.corruption, shard.condition.severity, image)
        for shard in shards
        for model in shard.models
        for image in shard.images
    ]


@given(st.integers(1, 40), st.sets(st.integers(0, 10_000)))
def test_plan_and_disk_make_up_the_grid_without_overlap(number: int, on_disk: set[int]) -> None:
    images = [f"i{index}" for index in range(number)]
    every = cells(plan(CONDITIONS, images, ["a", "b"], set()))
    assert len(every) == len(set(every)) == 3 * 2 * number
    done = {cell for index, cell in enumerate(every) if index in on_disk}
    missing = cells(plan(CONDITIONS, images, ["a", "b"], done))
    assert len(missing) == len(set(missing))
    assert set(missing) == set(every) - done


def test_clean_images_come_first() -> None:
    shards = plan(CONDITIONS, [f"i{index}" for index in range(30)], ["a"], set())
    blocks = sum(shard.condition == CLEAN_CONDITION for shard in shards)
    assert blocks > 1
    assert all(shard.condition == CLEAN_CONDITION for shard in shards[:blocks])


def test_models_share_a_shard_so_that_they_share_its_images() -> None:
    assert all(shard.models == ("a", "b") for shard in plan(CONDITIONS, ["x"], ["a", "b"], set()))


def test_key_depends_on_everything_that_counts_depend_on() -> None:
    shard = Shard(CONDITIONS[1], (0,), ("x",), ("a",))
    others = [
        Shard(CONDITIONS[2], (0,), ("x",), ("a",)),
        Shard(CONDITIONS[1], (0,), ("y",), ("a",)),
        Shard(CONDITIONS[1], (0,), ("x",), ("b",)),
    ]
    assert len({shard.key("context"), shard.key("other"), *(other.key("context") for other in others)}) == 5
    assert shard.key("context") == Shard(CONDITIONS[1], (7,), ("x",), ("a",)).key("context")


@given(st.sets(st.integers(0, 3 * 2 * 3 * 20 - 1)))
def test_only_the_regions_that_are_missing_are_counted(on_disk: set[int]) -> None:
    images, regions = [f"i{index}" for index in range(20)], (WHOLE, "trimap-2", "boundary-2")

    def parts(shards: list[Shard]) -> list[Cell]:
        return [cell._replace(region=part) for s in shards for part in s.regions for cell in cells([s])]

    every = parts(plan(CONDITIONS, images, ["a", "b"], set(), regions))
    assert len(every) == len(set(every)) == 3 * 2 * 3 * 20
    done = {cell for index, cell in enumerate(every) if index in on_disk}
    missing = parts(plan(CONDITIONS, images, ["a", "b"], done, regions))
    assert len(missing) == len(set(missing))
    assert set(missing) == set(every) - done


def test_regions_are_part_of_the_key() -> None:
    whole = Shard(CONDITIONS[1], (0,), ("x",), ("a",))
    regions = [("trimap-2",), ("trimap-5",), ("trimap-2", "trimap-5"), (WHOLE,)]
    keys = [dataclasses.replace(whole, regions=part).key("context") for part in regions]
    assert len(set(keys)) == 4
    assert keys[-1] == whole.key("context")


def test_names_groups_and_subsets_mix_and_count_once() -> None:
    assert parse_corruptions("none") == ()
    assert parse_corruptions("fog, weather")[0] == "fog"
    assert sorted(parse_corruptions("fog,weather")) == sorted(parse_corruptions("weather"))


@pytest.mark.parametrize(("text", "said"), [("fgo", "fog"), ("", "corruption"), ("fog,,snow", "corruption")])
def test_a_misspelt_corruption_is_the_users_to_mend(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_corruptions(text)


def test_a_severity_outside_1_to_5_is_refused() -> None:
    with pytest.raises(InputError, match="from 1 to 5, but got 6"):
        grid([("fog", 6)])


def test_corrupted_images_come_severity_by_severity_within_a_block() -> None:
    conditions = (
        CLEAN_CONDITION,
        *(Condition(name, s, "weather") for name in ("fog", "snow") for s in (1, 3)),
    )
    shards = plan(conditions, ["x"], ["a"], set())
    assert [(shard.condition.corruption, shard.condition.severity) for shard in shards] == [
        ("clean", 0), ("fog", 1), ("snow", 1), ("fog", 3), ("snow", 3)
    ]  # fmt: skip
