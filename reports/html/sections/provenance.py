"""The facts that are needed to repeat a run and to understand how its scores were computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.formats.documents import one_line
from reports.formats.text import scoring_sentence
from reports.html.page import Page, Section
from reports.html.text import listing, plural, words
from reports.run.record import ModelRecord
from reports.scoring.protocols import PROTOCOLS
from reports.tables.results import Results

__all__ = ["SECTION", "Origin", "Provenance", "facts_of", "origins_of"]

LONGEST = 2000  # characters of any one fact


class Origin(NamedTuple):
    """Where a model comes from: its full name, and facts as (name, value)."""

    name: str
    facts: list[tuple[str, str]]


class Provenance(NamedTuple):
    """The facts of a run, and of each of its models."""

    facts: list[tuple[str, str]]
    origins: list[Origin]


def describe(page: Page) -> Provenance:
    """Return the facts of a page."""
    return Provenance(facts_of(page.results, page.left_out), origins_of(page.results))


SECTION = Section(90, "Provenance", describe)


def facts_of(results: Results, left_out: Sequence[str]) -> list[tuple[str, str]]:
    """Return the facts of a run as (name, value), without unknown ones."""
    record, dataset = results.record, results.record.dataset
    protocol = PROTOCOLS.get(record.protocol)
    classes = dataset["class_names"]
    facts = [
        ("Command", record.command),
        ("Created", record.created),
        ("Left out", "; ".join(left_out)),
        ("Data set", f"{dataset['name']}, {dataset['split']}, {plural(len(record.images), 'image')}"),
        ("Data fingerprint", dataset["fingerprint"]),
        ("Citation", dataset["citation"]),
        (plural(len(classes), "class").capitalize(), ", ".join(map(str, classes))),
        ("Class map", _mapped(dataset.get("class_map", {}))),
        ("Protocol", f"{record.protocol}: {protocol.title} ({protocol.source})" if protocol else "custom"),
        ("Scores", scoring_sentence(results)),
        ("mCD, mrCD", f"{results.scoring.ratio} over corruptions" if results.scoring.reference else ""),
        ("Seed", record.seed),
        (
            "Corruption sets",
            ", ".join(f"{name}, version {version}" for name, version in record.set_versions.items()),
        ),
        ("Targets", "move with the pixels" if record.move_targets else "stay where they are"),
        ("Device", f"{record.device}, {record.precision}, batches of {record.batch_size}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        ("Seconds", ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in record.seconds.items())),
    ]
    return _known(facts)


def _mapped(class_map: Mapping[str, Any]) -> str:
    """Return in words what a class map says; what it says of outputs, targets and both comes in turn."""
    tables = [
        f"{key}: {', '.join(f'{name} as {other}' for name, other in table.items())}"
        for key, table in class_map.items()
        if isinstance(table, Mapping)
    ]
    ignored = class_map.get("ignore", ())
    return "; ".join([*tables, *([f"ignored: {', '.join(map(str, ignored))}"] if ignored else [])])


def origins_of(results: Results) -> list[Origin]:
    """Return where each model of a run comes from."""
    return [Origin(one_line(record.name, LONGEST), _origin(record)) for record in results.record.models]


def _origin(record: ModelRecord) -> list[tuple[str, str]]:
    card = record.card
    stated = card.get("seen_corruptions")
    seen = list(map(words, stated)) if isinstance(stated, list | tuple) else []
    channels = card.get("class_names")
    facts = [
        ("Weights, SHA-256", record.sha256),
        ("Architecture", " ".join(str(card[key]) for key in ("architecture", "backbone") if card.get(key))),
        ("Trained on", card.get("trained_on")),
        ("Corruptions seen in training", listing(seen) if seen else "none known"),
        ("Classes predicted", len(channels) if isinstance(channels, list | tuple) else ""),
        ("Source", card.get("source")),
        ("Licence", card.get("licence")),
        *record.facts.items(),
    ]
    return _known(facts)


def _known(facts: Sequence[tuple[str, object]]) -> list[tuple[str, str]]:
    return [(name, one_line(str(value), LONGEST)) for name, value in facts if value not in ("", None)]
