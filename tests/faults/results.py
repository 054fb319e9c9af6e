"""What is wrong with the files that a command leaves behind."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from tests.faults.processes import HOME, Ended, run
from tests.faults.world import COMMANDS, OWN

__all__ = [
    "Files",
    "Problem",
    "Undisturbed",
    "contents",
    "differences",
    "losses",
    "refusal",
    "repeated",
    "summary",
]

Files = Mapping[str, bytes]

# Files with times in them, or with digests of such files.
TIMED = {
    *("run.json", "scoring.json", "summary.csv", "report.html"),
    *("log.csv", "curve.png", "checkpoint.pt", "enet@tiny.json"),
}
EXAMPLES = 3  # of each kind of problem, in a summary


class Problem(NamedTuple):
    kind: str
    detail: str


class Undisturbed(NamedTuple):
    """A command without a fault: how it ended, and all files before and after it."""

    ended: Ended
    before: Files
    after: Files

    @property
    def expected(self) -> Files:
        """The files that ought to be there after it, the user's own among them."""
        return {**self.after, **OWN}


def contents(folder: Path) -> Files:
    """Return all files below a folder, except for robseg's cache, and locks, which are empty."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in files.items()
        if name.parts[0] != HOME and name.suffix != ".lock" and name.name != ".lock"
    }


def refusal(ended: Ended) -> Iterator[Problem]:
    """Yield what is wrong with the end of a command that had to give up."""
    if ended.hung:
        yield Problem("hangs", f"{ended.seconds:.0f} s")
        return
    if ended.code not in (2, 3):
        yield Problem(f"exit code {ended.code}", ended.last_line)
    if "Traceback (most recent call last)" in ended.stderr:
        yield Problem("traceback", ended.last_line)
    elif len(ended.stderr.splitlines()) > 2:
        yield Problem("more than two lines", ended.last_line)
    elif not ended.stderr.strip():
        yield Problem("says nothing", "")


def losses(folder: Path, known: Undisturbed) -> Iterator[Problem]:
    """Yield what is lost or only half there. What the command makes again may be missing; counts may not."""
    now = contents(folder)
    before, expected, touched = known.before, known.expected, known.ended.touched
    for name, content in before.items():
        if name in OWN and now.get(name) != content:
            yield Problem("the user's file lost", name)
        elif name not in touched and now.get(name) != content:
            yield Problem("finished file lost", name)
        elif (name.endswith(("run.json", ".parquet"))) and name not in now:
            yield Problem("counts lost", name)
    for name, content in now.items():
        temporary = PurePosixPath(name).name.startswith(".")
        right = content in (before.get(name), expected.get(name))
        if not temporary and not right and not _whole(name, content):
            yield Problem("half-written file", f"{name} ({len(content)} bytes)")


def repeated(name: str, folder: Path, known: Undisturbed) -> Iterator[Problem]:
    """Run a command without a fault, after one with a fault, and yield what is wrong then."""
    ended = run(COMMANDS[name].split(), folder)
    if ended.code != 0:
        yield Problem(f"again: exit code {ended.code}", ended.last_line)
    else:
        yield from differences(folder, known.expected)


def differences(folder: Path, expected: Files) -> Iterator[Problem]:
    """Yield how the files in a folder differ from those that were expected."""
    now = contents(folder)
    for name in sorted(now.keys() | expected.keys()):
        hidden = PurePosixPath(name).name.startswith(".")
        if name not in expected:
            yield Problem("temporary file left behind" if hidden else "file too many", name)
        elif name not in now:
            yield Problem("the user's file lost" if name in OWN else "file missing", name)
        elif PurePosixPath(name).name in TIMED:
            if not _whole(name, now[name]):
                yield Problem("half-written file", name)
        elif hidden:  # a list of files, in which a line may be torn and then written again
            if not set(expected[name].splitlines()) <= set(now[name].splitlines()):
                yield Problem("lines missing in a list of files", name)
        elif now[name] != expected[name]:
            yield Problem("other bytes than an uninterrupted run", name)


def summary(title: str, tried: int, problems: Mapping[str, Collection[Problem]]) -> str:
    """Return how many points survived, and each kind of problem with examples. Keys are the points."""
    kinds: dict[str, list[str]] = {}
    for point, found in problems.items():
        for kind, detail in dict(reversed(list(found))).items():
            kinds.setdefault(kind, []).append(f"        {point}: {detail}")
    lines = [f"{title}: {tried} tried, {tried - len(problems)} survived"]
    for kind, points in sorted(kinds.items(), key=lambda item: -len(item[1])):
        lines += [f"{len(points):5} x {kind}", *points[:EXAMPLES]]
    return "\n".join(lines)


def _whole(name: str, content: bytes) -> bool:
    """Return whether a file that differs from run to run is complete, by its format."""
    data = io.BytesIO(content)
    try:
        match PurePosixPath(name).suffix:
            case ".png":
                Image.open(data).load()
            case ".json":
                json.loads(content)
            case ".csv":
                rows = list(csv.reader(content.decode().splitlines()))
                return content.endswith(b"\n") and len({len(row) for row in rows}) == 1
            case ".parquet":
                pq.read_table(data)
            case ".html":
                return content.rstrip().endswith(b"</html>")
            case ".pt":
                torch.load(data, weights_only=True)
            case _:
                return False
    except (ValueError, OSError, SyntaxError, EOFError, RuntimeError, pa.ArrowException):
        return False
    return True
