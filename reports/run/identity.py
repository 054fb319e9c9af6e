"""What two runs must have in common before their scores may be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from reports.run.errors import InvalidRun
from reports.run.record import RunRecord

__all__ = ["SET", "Difference", "conditions_of", "differences", "identity", "in_common", "unlike"]

SET = "corruption set"


class Difference(NamedTuple):
    """One thing in which two runs differ, in words."""

    what: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.what} ({self.first} and {self.second})"


def identity(record: RunRecord) -> dict[str, str]:
    """Return everything besides model, condition and image that a run's counts depend on, in words."""
    return {
        "data set": f"{record.dataset['name']}/{record.dataset['split']}",
        "data fingerprint": str(record.dataset["fingerprint"]),
        "classes": ", ".join(record.dataset["class_names"]),
        "protocol": record.protocol,
        "seed": str(record.seed),
        **{f"{SET} {name}": version for name, version in record.set_versions.items()},
        "targets": "move" if record.move_targets else "stay",
        "precision": record.precision,
    }


def unlike(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[Difference]:
    """Return the differences of two identities, except for a corruption set that only one of them has."""
    return [
        Difference(what, ours.get(what, "nothing"), theirs.get(what, "nothing"))
        for what in {**ours, **theirs}
        if ours.get(what) != theirs.get(what)
        and not (what.startswith(SET) and (what not in ours or what not in theirs))
    ]


def differences(first: RunRecord, second: RunRecord, *, protocol: bool = True) -> list[Difference]:
    """Return the differences that forbid comparing the scores of two runs; the order of images is none.

    With `protocol=False`, protocol and conditions are ignored, for runs that are scored under one protocol
    anyway.
    """
    found = unlike(identity(first), identity(second))
    if set(first.images) != set(second.images):
        common = len(set(first.images) & set(second.images))
        found.append(
            Difference("images", f"{len(first.images)}", f"{len(second.images)}, {common} of them in common")
        )
    if not protocol:
        return [difference for difference in found if difference.what != "protocol"]
    ours_only, theirs_only = conditions_of(first), conditions_of(second)
    if ours_only != theirs_only:
        common = len(ours_only & theirs_only)
        found.append(
            Difference("conditions", f"{len(ours_only)}", f"{len(theirs_only)}, {common} of them in common")
        )
    return found


def conditions_of(record: RunRecord) -> set[tuple[str, int]]:
    """Return a run's conditions as (corruption, severity)."""
    return {(c.corruption, c.severity) for c in record.conditions}


def in_common(first: RunRecord, second: RunRecord) -> tuple[RunRecord, RunRecord]:
    """Return both records with the images and conditions that they share, in the order of the first.

    Raises
    ------
    InvalidRun
        If they share no image or no condition, or their classes differ.
    """
    if first.dataset["class_names"] != second.dataset["class_names"]:
        raise InvalidRun("Expected runs with the same classes, but their classes differ: choose other runs.")
    theirs, here = conditions_of(second), set(second.images)
    kept = [place for place, image in enumerate(first.images) if image in here]
    conditions = tuple(c for c in first.conditions if (c.corruption, c.severity) in theirs)
    if not kept or not conditions:
        what = "image" if not kept else "condition"
        raise InvalidRun(
            f"Expected runs that share images and conditions, but they share no {what}: "
            "evaluate both with the same options."
        )
    changes = {
        "images": tuple(first.images[place] for place in kept),
        "clusters": tuple(first.clusters[place] for place in kept) if first.clusters else (),
        "conditions": conditions,
    }
    return dataclasses.replace(first, **changes), dataclasses.replace(second, **changes)  # type: ignore[arg-type]
