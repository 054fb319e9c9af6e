"""A wrong file of a gate's rules is refused in a line."""

from pathlib import Path
from typing import Any

import pytest

from reports.gate.rules import assigned, limits_of, read_rules
from reports.run.errors import InputError, InvalidRun
from tests.mutations import DEPTHS, NUMBERS, fuzz, mutated, nested
from tests.toml import toml

RULES: dict[str, Any] = {
    "strict": False,
    "intervals": True,
    "max_drop": {"default": 1.0, "corruption:fog": 2, "snow": False},
    "max_rise": 1.0,
    "max_relative_drop": {"mpc": 2.5},
    "floor": {"mpc": 40, "class:person": 25},
}


@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_rules_are_refused(number: int, tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"

    def read(rules: Any) -> None:
        file.write_bytes(toml(rules))
        read_rules(file)

    read(RULES)
    fuzz(number, mutated(RULES), read)


@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_limits_of_python_calls_are_refused(number: int) -> None:
    fuzz(number, mutated(RULES["max_drop"]), lambda limits: limits_of(limits, "max_drop"))


@pytest.mark.parametrize("depth", DEPTHS)
def test_nested_rules_are_refused(depth: int, tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text(f"max_drop = {nested(depth)}")
    with pytest.raises(InvalidRun, match=r"gate\.toml"):
        read_rules(tmp_path / "gate.toml")


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "-1", "1e999", "9" * 400, "9" * 5000])
def test_a_limit_is_a_number_of_at_least_0(number: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Expected --floor NUMBER or TARGET=NUMBER"):
        assigned([f"mpc={number}"], "--floor")
    (tmp_path / "gate.toml").write_text(f"[floor]\nmpc = {number}\n")
    with pytest.raises(InvalidRun, match=r"gate\.toml"):
        read_rules(tmp_path / "gate.toml")
