"""Numbers that no option can mean: NaN, infinity, more than 64 bits, and spans that would fill the memory."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from reports import tallies
from reports.run.typed import shown
from robseg.cli.options import NUMBERS, Option
from robseg.errors import InputError
from robseg.evaluation.request import Request
from robseg.models import load_model
from robseg.training.recipe import Recipe
from robseg.training.trainer import train
from tests.invoke import invoke
from tests.robseg.cli.test_run_files import CALLS, COMMANDS


class Number(NamedTuple):
    """An option that takes numbers: its command, its name, how many it takes, and whether they are whole."""

    path: tuple[str, ...]
    option: str
    times: int
    whole: bool


def numeric_options() -> Iterator[Number]:
    for path, command in COMMANDS.items():
        for param in command.params:
            if isinstance(param, click.Option):
                own = isinstance(param, Option) and (param.field.item or param.field.type)
                kind = own or next(
                    (kind for known, kind in NUMBERS.items() if isinstance(param.type, known)), None
                )
                if kind in (int, float):
                    yield Number(path, max(param.opts, key=len), param.nargs, kind is int)


OPTIONS = list(numeric_options())


def test_options_of_every_kind_are_tried_below() -> None:
    tried = {(" ".join(one.path), one.option, one.times, one.whole) for one in OPTIONS}
    assert ("train", "--minutes", 1, False) in tried
    assert ("train", "--crop", 2, True) in tried
    assert ("ranks", "--resamples", 1, True) in tried


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "9" * 5000, str(10**30), str(-(10**30))], ids=len)
def test_no_option_takes_a_number_that_cannot_be_meant(text: str, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    printed = {path: invoke(*path, *CALLS[path].split(), "--print-config").stdout for path in COMMANDS}
    for path, option, times, whole in OPTIONS:
        if text.endswith("0") and not whole:  # 1e30 is a number
            continue
        done = invoke(*path, *CALLS[path].split(), *[option, *[text] * times], "--print-config")
        assert done.exit_code == 2, (path, option)
        assert f"{option}" in done.stderr
        others = "".join(
            f"{line}\n" for line in printed[path].splitlines() if not line.startswith(option[2:])
        )
        file.write_text(f"{others}{option[2:]} = {f'[{text}, {text}]' if times > 1 else text}\n")
        done = invoke(*path, file, "--print-config")
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), (path, option)


@pytest.mark.parametrize("command", ["evaluate -m enet", "corrupt in -o out", "train enet-streets -o out"])
@pytest.mark.parametrize("span", ["1-99999999999", f"1-{10**30}", "99999999999-1", "1-5,1-99999999999"])
def test_a_span_of_severities_is_refused_before_it_fills_the_memory(command: str, span: str) -> None:
    done = invoke(*command.split(), "-s", span)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "Expected `--severities` to be whole numbers, such as 3, 1,3,5 or 1-3" in done.stderr.replace(
        " from 1 to 5", ""
    )
    with pytest.raises(InputError, match="Expected `severities` to be"):
        Request("enet", severities=range(1, 10**11))


@pytest.mark.parametrize("seed", [-1, 2**64, 10**30, 10**5000, 1.0, True], ids=shown)
def test_a_seed_fits_in_64_bits(seed: Any) -> None:
    for make in (Request, Recipe):
        with pytest.raises(InputError, match="Expected `seed` to be a whole number of at least 0"):
            make("enet", "streets", seed=seed)
    Request("enet", seed=2**64 - 1)


@pytest.mark.parametrize("minutes", [math.nan, math.inf, 0, -1, "1"])
def test_a_training_ends_after_a_number_of_minutes(minutes: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Expected `minutes` to be a number above 0"):
        train(Recipe("enet", "streets"), None, tmp_path / "out", minutes=minutes)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("device", ["meta", "hpu", "nonsense", "cuda:-1", "", "\udcff", None, 3.5])
def test_a_device_is_one_of_this_machines(device: Any) -> None:
    with pytest.raises(InputError, match="Expected `device` to be"):
        load_model("enet", device=device)


@pytest.mark.parametrize("width", [str(10**5), "9" * 5000, "0", "-1", "1.5", "nan"], ids=len)
def test_a_width_of_a_band_is_some_pixels(width: str) -> None:
    with pytest.raises(InputError, match="Expected the tally boundary with a width from 1 to 99999 pixels"):
        tallies.find(f"boundary-{width}")
