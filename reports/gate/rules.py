"""The rules of a gate, from a TOML file and from `TARGET=NUMBER` on the command line.

A file looks like this. A rule's default covers the usual targets that the rule does not name::

    strict = false            # true: a check fails if its interval spans the limit
    intervals = true          # false: judge the scores on these images alone
    [max_drop]                # how many points a score may lose against the baseline
    default = 1.0             # clean, mPC, every group, every corruption; 1.0 if not given
    "corruption:fog" = 2.0
    snow = false              # no limit; `default = false` declines the rule
    "trimap-2/mpc" = 2.0      # a score of another tally starts with the name of the tally
    [max_rise]                # how many points it may gain, for changes that must not move scores
    default = 1.0
    [max_relative_drop]       # the same as max_drop, in percent of the baseline's score
    mpc = 2.5
    [floor]                   # the percentage that a score must reach, whatever the baseline
    mpc = 40
    "class:person" = 25
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from reports.run.errors import InvalidRun
from reports.run.parse import from_toml
from reports.run.tally import PERCENT, Measure
from reports.run.typed import Range, shown, typed
from reports.scoring.model_scores import ScoreKey

__all__ = ["DEFAULT", "OFF", "RULES", "Limit", "Rules", "assigned", "limits", "limits_of", "read_rules"]

DEFAULT = "default"
RULES = ("max_drop", "max_rise", "max_relative_drop", "floor")
SWITCHES = ("strict", "intervals")
OFF = math.inf
NAMED = 2  # the specificity of a target that is one score
WILDCARDS = {
    "groups": "group",
    "corruptions": "corruption",
    "conditions": "condition",
    "classes": "class",
    "clean-classes": "clean-class",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """Limits by target: `max_drop` and `max_rise` in points, `max_relative_drop` and `floor` in percent.

    A limit of OFF exempts its target.
    If `strict`, an inconclusive check fails. If not `intervals`, scores are judged on these images alone.
    """

    max_drop: Mapping[str, float] = dataclasses.field(default_factory=dict)
    max_rise: Mapping[str, float] = dataclasses.field(default_factory=dict)
    max_relative_drop: Mapping[str, float] = dataclasses.field(default_factory=dict)
    floor: Mapping[str, float] = dataclasses.field(default_factory=dict)
    strict: bool = False
    intervals: bool = True

    @property
    def need_baseline(self) -> bool:
        """Whether a rule limits a drop or a rise."""
        limits = (*self.max_drop.values(), *self.max_rise.values(), *self.max_relative_drop.values())
        return any(limit != OFF for limit in limits)


class Limit(NamedTuple):
    """The limit of a score; `named` if a target names this score rather than several."""

    value: float
    named: bool


def read_rules(path: Path) -> Rules:
    """Read the rules of a TOML file.

    Raises
    ------
    InvalidRun
        If the file cannot be read, or contains something that is not a rule.
    """
    try:
        raw = from_toml(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidRun(
            f"Expected {path} to be the TOML file of a gate's rules, but got: {error}."
        ) from error
    known = (*RULES, *SWITCHES)
    for name, value in raw.items():
        if name not in known:
            raise InvalidRun(f"Expected rules of a gate ({', '.join(known)}) in {path}, but got {name!r}.")
        if name in SWITCHES and not isinstance(value, bool):
            raise InvalidRun(f"Expected `{name}` in {path} to be true or false, but got {shown(value)}.")
    tables = {name: limits_of(raw.get(name, {}), name, f" in {path}") for name in RULES}
    return Rules(**tables, strict=raw.get("strict", False), intervals=raw.get("intervals", True))


def limits_of(raw: object, name: str, where: str = "") -> dict[str, float]:
    """Return the limits of a rule by target from a table, or from a number for the default targets.

    Examples
    --------
    >>> limits_of(1, "max_drop"), limits_of({"fog": 2, "snow": False}, "max_drop")
    ({'default': 1.0}, {'fog': 2.0, 'snow': inf})
    """
    table = raw if isinstance(raw, Mapping) else {DEFAULT: raw}
    try:
        return {str(target): _number(value) for target, value in table.items()}
    except ValueError as error:
        raise InvalidRun(
            f"Expected `{name}`{where} to be a number of at least 0, or such numbers by target, but got "
            f"{shown(raw)}: correct it. False stands for no limit."
        ) from error


def assigned(texts: Iterable[str], option: str) -> dict[str, float]:
    """Return the limits of texts such as "1.0" (for the default targets) and "fog=2"; False is no limit.

    Examples
    --------
    >>> assigned(["1", "class:person=2.5", "fog=off"], "--max-drop")
    {'default': 1.0, 'class:person': 2.5, 'fog': False}
    """
    limits = {}
    for text in texts:
        target, _, number = text.rpartition("=")
        try:
            limits[target.strip() or DEFAULT] = number.strip() != "off" and _number(float(number))
        except ValueError as error:
            raise InvalidRun(
                f"Expected {option} NUMBER or TARGET=NUMBER, or off in place of the number, but got "
                f"{shown(text)}."
            ) from error
    return limits


def limits(
    targets: Mapping[str, float], known: Mapping[ScoreKey, Measure], rule: str
) -> dict[ScoreKey, Limit]:
    """Return the limit of each score that a rule covers; the most specific target wins.

    Raises
    ------
    InvalidRun
        If a target names no score, or a score whose measure has no better direction.
    """
    if rule == "floor" and DEFAULT in targets:
        raise InvalidRun(
            "Expected a target for each floor, but got a number alone: write, for example, mpc=40."
        )
    found: dict[ScoreKey, Limit] = {}
    specificity = {target: _specificity(_split(target, known)[1]) for target in targets}
    for target in sorted(targets, key=lambda target: specificity[target]):
        meant = _meant(target, known)
        if not meant:
            raise _unknown(target, known)
        for key in meant:
            measure = known[key]
            in_percent = measure.unit == PERCENT or rule == "max_relative_drop"
            if in_percent and 100 < targets[target] < OFF:
                raise InvalidRun(
                    f"Expected a limit of '{target}' from 0 to 100, but got {targets[target]:g}: correct it."
                )
            if not measure.gated:
                raise InvalidRun(
                    f"Expected a score that can get better or worse, but got '{target}', where neither more "
                    "nor less is better: leave it out."
                )
        found |= dict.fromkeys(meant, Limit(targets[target], specificity[target] == NAMED))
    return {key: limit for key, limit in found.items() if limit.value != OFF}


def _meant(target: str, known: Iterable[ScoreKey]) -> list[ScoreKey]:
    """Return the scores that a target names."""
    known = list(known)
    prefix, rest = _split(target, known)
    alike = [key for key in known if key.prefix == prefix]
    if rest == DEFAULT:
        overall = [ScoreKey("overall", name, prefix) for name in ("clean", "mpc")]
        return [key for key in alike if key in overall or key.kind in ("group", "corruption")]
    if rest in WILDCARDS:
        return [key for key in alike if key.kind == WILDCARDS[rest]]
    exact = [key for key in alike if str(key) == target]
    short = [key for key in alike if key.name == rest and key.kind in ("group", "corruption", "condition")]
    return exact or short[:1]


def _split(target: str, known: Iterable[ScoreKey]) -> tuple[str, str]:
    """Split a target into the longest prefix that a known score has, and the rest.

    Examples
    --------
    >>> _split("trimap-2/fog/3", [ScoreKey("condition", "fog/3", "trimap-2/")])
    ('trimap-2/', 'fog/3')
    """
    prefixes = {key.prefix for key in known if target.startswith(key.prefix)}
    prefix = max(prefixes, key=len, default="")
    return prefix, target.removeprefix(prefix)


def _unknown(target: str, known: Iterable[ScoreKey]) -> InvalidRun:
    known = list(known)
    names = [*map(str, known), *(key.name for key in known), *WILDCARDS]
    near = get_close_matches(target, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "see docs/gate.md for the names."
    return InvalidRun(f"Expected a score as the target of a rule, but the run has no '{target}': {hint}")


def _specificity(target: str) -> int:
    if target == DEFAULT:
        return 0
    return 1 if target in WILDCARDS else NAMED


def _number(value: object) -> float:
    """Return a limit from a number of at least 0 or False, which is no limit."""
    if value is False:
        return OFF
    limit: float = typed(float, value, "limit", Range(least=0))
    return limit
