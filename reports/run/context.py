"""Everything but condition, image and model name that the counts of a run depend on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["Context", "Mismatch"]


class Mismatch(NamedTuple):
    """One thing that some counts depend on and that is another in a context."""

    what: str
    stored: Any
    expected: Any


@dataclasses.dataclass(frozen=True)
class Context:
    """What all counts of a run depend on; each file of counts stores its part, and run.json the whole.

    `models` maps the name of a model to its identity, `set_versions` a corruption to the version of its set,
    and `versions` the packages that can change a count to their versions. `labels` maps each label value or
    colour that the targets may hold to its class.
    """

    dataset: str
    set_versions: dict[str, str]
    seed: int
    move_targets: bool
    device: str
    precision: str
    models: dict[str, str]
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    labels: dict[str, int] = dataclasses.field(default_factory=dict)

    def to_json(self, corruption: str, models: Iterable[str]) -> str:
        """Return what the counts of some models under one corruption depend on, as canonical JSON."""
        part = dataclasses.asdict(self)
        del part["set_versions"]
        part["set_version"] = self.set_versions.get(corruption, "")
        part["models"] = {name: self.models[name] for name in models}
        return json.dumps(part, sort_keys=True)

    def mismatches(self, stored: Mapping[str, Any], corruption: str) -> list[Mismatch]:
        """Return in what counts differ from this context; `stored` is what `to_json` said of them.

        A model or corruption that this context does not have is no mismatch. Nor is a label that only this
        context has: no stored counts are of an image that shows it, because undeclared labels are an error.
        """
        expected = json.loads(self.to_json(corruption, self.models))
        if corruption not in self.set_versions:
            del expected["set_version"]
        models, versions, labels = (expected.pop(what) for what in ("models", "versions", "labels"))
        there, known = stored.get("versions", {}), stored.get("labels", {})
        shared = models.keys() & stored.get("models", {}).keys()
        pairs = [
            *((what, stored.get(what), value) for what, value in expected.items()),
            *((name, stored["models"][name], models[name]) for name in sorted(shared)),
            *((f"version of {name}", there.get(name), value) for name, value in versions.items()),
            *((f"class of label {name}", value, labels.get(name)) for name, value in known.items()),
        ]
        return [Mismatch(*pair) for pair in pairs if pair[1] != pair[2]]
