"""The cards of published checkpoints, read from a TOML file that states each fact once; without torch."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from robseg.models.card import Card, as_tuples

__all__ = ["read_published"]

# Keys of the file that are no fields of a card; fields are derived from them.
SHORTHAND = ("bases", "file", "miou", "ms")


def read_published(path: Path) -> Iterator[Card]:
    """Yield the cards of a file of published checkpoints, in its order."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    class_names = {name: tuple(text.split(", ")) for name, text in content["class_names"].items()}
    for group in content["group"]:
        shared = {key: value for key, value in group.items() if key not in {"like", "models"}}
        profiles = [content["profile"][name] for name in group["like"]]
        for model in group["models"]:
            yield _card(_merged(*profiles, shared, model), class_names)


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of all layers; a later layer overrides an earlier one, except that `options` merge.

    Examples
    --------
    >>> _merged({"a": 1, "options": {"x": 1}}, {"a": 2, "options": {"y": 2}})
    {'a': 2, 'options': {'x': 1, 'y': 2}}
    """
    said: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for layer in layers:
        said.update(layer)
        options.update(layer.get("options", {}))
    return {**said, "options": options}


def _card(said: Mapping[str, Any], class_names: Mapping[str, tuple[str, ...]]) -> Card:
    fields: dict[str, Any] = as_tuples({key: value for key, value in said.items() if key not in SHORTHAND})
    fields["class_names"] = class_names[said.get("class_names", said["dataset"])]
    file = said.get("file", "")
    fields["weights_urls"] = tuple(base + file for base in said.get("bases", ()) if file)
    fields.setdefault("weights_file", file.rpartition("/")[2].partition("?")[0])
    fields["config"] = said.get("config", "").replace("{id}", said["id"])
    if "miou" in said:
        fields["published_miou"] = round(said["miou"] / 100, 6)
    if "ms" in said:
        fields["published_protocol"] += f" (several scales and mirrored: {said['ms']})"
    return Card(**fields)
