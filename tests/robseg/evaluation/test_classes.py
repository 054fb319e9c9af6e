"""A model's channels answer classes by name."""

import pytest

from robseg.errors import InputError
from robseg.evaluation.classes import label_map


def test_channels_are_matched_by_name_whatever_their_order_and_case() -> None:
    table = label_map("m", ["Road", "void", "sky"], ["sky", "road"])
    assert table[:3].tolist() == [1, 255, 0]
    assert (table[3:] == 255).all()


def test_a_model_that_lacks_a_class_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match="lacks car"):
        label_map("m", ["sky", "road"], ["sky", "road", "car"])


def test_names_that_differ_in_case_only_are_kept_apart() -> None:
    names = ["O", "a", "A"]
    assert label_map("m", names, names)[:3].tolist() == [0, 1, 2]
    assert label_map("m", ["A", "o", "a"], names)[:3].tolist() == [2, 0, 1]
    assert label_map("m", ["a", "A"], ["a"])[:2].tolist() == [0, 255]
    with pytest.raises(InputError, match="lacks A, a"):
        label_map("m", ["o", "x"], ["O", "a", "A"])


def test_names_that_are_spelled_alike_match() -> None:
    table = label_map("m", ["bed ", "Traffic_Light", "pool-table"], ["pool table", "traffic light", "bed"])
    assert table[:3].tolist() == [2, 1, 0]


def test_names_that_two_channels_could_mean_are_missing() -> None:
    with pytest.raises(InputError, match=r"lacks traffic light \(it has traffic_light, Traffic Light\)"):
        label_map("m", ["traffic_light", "Traffic Light"], ["traffic light"])


def test_a_name_is_left_over_beside_one_that_is_exact() -> None:
    assert label_map("m", ["bed ", "bed"], ["bed"])[:2].tolist() == [255, 0]
