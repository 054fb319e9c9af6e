"""A gate's verdict in the forms that continuous integration reads: JSON, JUnit XML, Markdown, annotations."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from xml.etree import ElementTree

from reports.formats.documents import Document, Table, one_line, to_markdown
from reports.gate.checks import FAIL, INCONCLUSIVE, PASS, Check
from reports.gate.gate import Gate

__all__ = ["gate_document", "gate_json", "github_annotations", "junit_xml", "step_summary"]

ROWS = 200  # in the table of the document; gate.json has all checks
ANNOTATIONS = 10  # GitHub shows no more of each level
SUMMARY_BYTES = 1_000_000  # GitHub refuses a step's summary above 1 MiB
WORDS = {"max_drop": "drop", "max_rise": "rise", "max_relative_drop": "relative drop", "floor": "score"}
# Of measures such as errors, a higher value is worse, so "drop" and "rise" would be misleading.
WORDS_OF_ERRORS = WORDS | {"max_drop": "loss", "max_rise": "gain", "max_relative_drop": "relative loss"}


def gate_json(gate: Gate) -> str:
    """Return a verdict as JSON; undefined values are null."""
    raw = dataclasses.asdict(gate)
    for check in raw["checks"]:
        check["unit"], check["score_unit"] = check["unit"][0], check["score_unit"][0]
        for name, value in check.items():
            if isinstance(value, float) and math.isnan(value):
                check[name] = None
    return json.dumps(raw, indent=2, ensure_ascii=False) + "\n"


def junit_xml(gate: Gate) -> str:
    """Return a verdict as JUnit XML with a case per check; a lenient gate skips inconclusive checks."""
    failed = [check for check in gate.checks if _fails(check, gate)]
    skipped = [check for check in gate.checks if _unsure(check, gate)]
    suite = ElementTree.Element(
        "testsuite",
        name="robseg gate",
        tests=str(max(1, len(gate.checks))),
        failures=str(len(failed) if gate.checks else 1),
        skipped=str(len(skipped)),
        errors="0",
    )
    if not gate.checks:
        case = ElementTree.SubElement(suite, "testcase", classname="robseg gate", name="checks")
        ElementTree.SubElement(case, "failure", message="Nothing was compared.")
    for check in gate.checks:
        case = ElementTree.SubElement(
            suite, "testcase", classname=one_line(check.model), name=one_line(f"{check.rule} {check.target}")
        )
        if _unsure(check, gate):
            ElementTree.SubElement(case, "skipped", message=sentence(check))
        elif _fails(check, gate):
            ElementTree.SubElement(case, "failure", message=sentence(check))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def step_summary(gate: Gate) -> str:
    """Return a verdict as Markdown that fits into a step summary."""
    text = to_markdown(gate_document(gate))
    if len(text.encode()) <= SUMMARY_BYTES:
        return text
    return text.encode()[:SUMMARY_BYTES].decode(errors="ignore") + "\n\nThe rest is cut off: see gate.json.\n"


def github_annotations(gate: Gate) -> list[str]:
    """Return GitHub's workflow commands for the checks that failed or are inconclusive, worst first."""
    failed = [check for check in gate.checks if _fails(check, gate)]
    unsure = [check for check in gate.checks if _unsure(check, gate)]
    lines = [_command("error", check) for check in _worst_first(failed)[:ANNOTATIONS]]
    if not gate.checks:
        lines.append("::error title=robseg gate::Nothing was compared.")
    return lines + [_command("warning", check) for check in _worst_first(unsure)[:ANNOTATIONS]]


def gate_document(gate: Gate) -> Document:
    """Return a verdict as a document; failed checks come first."""
    order = {FAIL: 0, INCONCLUSIVE: 1}
    checks = sorted(gate.checks, key=lambda check: order.get(check.verdict, 2))
    counts = {name: sum(c.verdict == name for c in checks) for name in (FAIL, INCONCLUSIVE, PASS)}
    lines = [
        f"{gate.run} against {gate.baseline}" if gate.baseline else gate.run,
        f"{len(checks)} checks: " + ", ".join(f"{number} {name}" for name, number in counts.items()) + ".",
        *gate.notes,
    ]
    if gate.verdict == INCONCLUSIVE:
        reasons = dict.fromkeys(check.reason for check in checks if check.verdict == INCONCLUSIVE)
        lines.append(
            f"Some checks are inconclusive ({'; '.join(reasons)}). "
            + ("The gate is strict, so it fails." if gate.strict else "The gate is lenient, so it passes.")
        )
    if len(checks) > ROWS:
        lines.append(f"The table shows {ROWS} checks, failed ones first; gate.json has all {len(checks)}.")
    table = Table(
        "Checks",
        ("check", "model", "baseline", "run", "value", "interval", "limit", "verdict"),
        tuple(_row(check) for check in checks[:ROWS]),
    )
    reason = "" if gate.verdict == FAIL else ": it is strict, and not every check is conclusive"
    warnings = () if gate.passed else (f"the gate failed{reason}.",)
    return Document(f"robseg gate: {gate.verdict}", warnings, tuple(lines), (table,) if checks else ())


def sentence(check: Check) -> str:
    """Return a check in one sentence."""
    said, text_of = "at least" if check.at_least else "at most", check.unit.fine
    text = (
        f"{one_line(check.target)} of {one_line(check.model)}: {_word(check)} {text_of(check.value)} "
        f"({text_of(check.low)} to {text_of(check.high)}), allowed {said} {text_of(check.limit)}"
    )
    return f"{text}; {check.reason}" if check.reason else text


def _row(check: Check) -> tuple[str, ...]:
    return (
        f"{_word(check)} {check.target}",
        check.model,
        check.score_unit.text(check.baseline),
        check.score_unit.text(check.score),
        check.unit.fine(check.value),
        f"{check.unit.fine(check.low)} .. {check.unit.fine(check.high)}",
        f"{'≥' if check.at_least else '≤'} {check.unit.fine(check.limit)}",
        f"{check.verdict} ({check.reason})" if check.reason else check.verdict,
    )


def _word(check: Check) -> str:
    return (WORDS_OF_ERRORS if check.lower_is_better else WORDS)[check.rule]


def _fails(check: Check, gate: Gate) -> bool:
    return check.verdict == FAIL or (gate.strict and check.verdict == INCONCLUSIVE)


def _unsure(check: Check, gate: Gate) -> bool:
    return check.verdict == INCONCLUSIVE and not gate.strict


def _worst_first(checks: Iterable[Check]) -> list[Check]:
    def excess(check: Check) -> float:
        over = (check.limit - check.value) if check.at_least else (check.value - check.limit)
        return math.inf if math.isnan(over) else over

    return sorted(checks, key=excess, reverse=True)


def _command(level: str, check: Check) -> str:
    """Return one workflow command, with the characters escaped that would end its title or message."""
    message = sentence(check).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    title = (
        f"robseg gate {one_line(check.target, 60)}".replace("%", "%25")
        .replace(":", "%3A")
        .replace(",", "%2C")
    )
    return f"::{level} title={title}::{message}"
