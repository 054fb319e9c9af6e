import pytest

from robseg.errors import InputError
from robseg.training.recipe import Recipe


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", -1),
        ("learning_rate", 0.0),
        ("crop", (0, 5)),
        ("scale", (2.0, 1.0)),
        ("scale", (0.0, 1.0)),
        ("jitter", 1.5),
        ("class_weights", "enett"),
        ("precision", "fp16"),
        ("seed", -1),
        ("train_limit", 0),
        ("power", -0.1),
        ("name", "runs/mine"),
        ("name", ""),
        ("size_divisor", 0),
        ("test_size", (0, 96)),
    ],
)
def test_a_field_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"Expected `{field}`"):
        Recipe("enet", "streets", **{field: value})  # type: ignore[arg-type]


def test_an_option_that_a_recipe_cannot_say_is_refused() -> None:
    with pytest.raises(InputError, match="without None, which `aux_channels` has"):
        Recipe("pspnet", "streets", options={"aux_channels": None})


def test_offsets_are_learnt_at_the_images_own_size() -> None:
    with pytest.raises(InputError, match="Expected `test_size` to be unset for the task offsets"):
        Recipe("segfix", "streets", task="offsets", test_size=(64, 96))
