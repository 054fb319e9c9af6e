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
