"""A folder for output, with a list of the files in it that robseg may replace or delete."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from reports.run.errors import InputError, InvalidRun
from reports.run.files import remove_abandoned
from reports.run.parse import from_json
from reports.run.record import RunRecord

__all__ = ["LIST", "OutFolder"]

LIST = ".robseg-files"


class OutFolder:
    """A folder that robseg writes to. Files of others in it are neither replaced nor deleted.

    The names of robseg's own files are in LIST, a JSON string per line, before they are first written.
    Counts are not listed: their names are content keys.

    Raises
    ------
    InputError
        If the path cannot be a folder to write to, or is a folder that holds files but none of robseg's.

    Examples
    --------
    >>> import tempfile
    >>> folder = OutFolder(Path(tempfile.mkdtemp()))
    >>> folder.reserve(["scores.csv"])
    >>> folder.names
    frozenset({'scores.csv'})
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._writing():
            path.mkdir(parents=True, exist_ok=True)
            if not (path / LIST).exists():
                self._start()
            self._own = set(_listed(path / LIST))

    @property
    def names(self) -> frozenset[str]:
        """The names of robseg's own files, relative to the folder, with slashes."""
        return frozenset(self._own)

    def reserve(self, names: Iterable[str]) -> None:
        """List files that will be written; a file of others by one of these names stops the work here.

        Raises
        ------
        InputError
            If there is a file of such a name which is not robseg's.
        """
        names = list(dict.fromkeys(names))
        for folder in {(self.path / name).parent for name in names}:
            remove_abandoned(folder)
        new = [name for name in names if name not in self._own]
        for name in new:
            path = self.path / name
            if path.exists() or path.is_symlink():
                raise InputError(
                    f"Expected {path} to be a file of robseg's, but {LIST} beside it does not "
                    "list it: move it away, or choose another --out."
                )
        if new:
            with self._writing():
                self._append(new)
            self._own.update(new)

    def delete(self, names: Iterable[str]) -> list[str]:
        """Delete the files among `names` that are robseg's own, and return the names of those deleted."""
        found = [name for name in sorted(names) if name in self._own and (self.path / name).is_file()]
        with self._writing():
            for name in found:
                (self.path / name).unlink()
        return found

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"Expected to be able to write to {self.path}, but got: {error}. Choose another --out."
            ) from error

    def _start(self) -> None:
        """Start the list, unless the folder holds only files of others."""
        recorded = _recorded(self.path)  # a run from before there was a list, or whose list was not copied
        others = [] if recorded else sorted(entry.name for entry in self.path.iterdir())
        # Another process, which shares the folder, may just have started the list.
        if others and not (self.path / LIST).exists():
            shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
            raise InputError(
                f"Expected an empty folder, or one that robseg wrote, but {self.path} holds {shown}: "
                "choose another --out."
            )
        (self.path / LIST).touch()
        if recorded:
            self._append(recorded)

    def _append(self, names: Iterable[str]) -> None:
        with (self.path / LIST).open("a+b") as file:
            file.seek(0)
            before = file.read()
            torn = before and not before.endswith(b"\n")  # by a process that was killed
            lines = "".join(f"{json.dumps(name)}\n" for name in names)
            file.write(("\n" if torn else "").encode() + lines.encode())


def _listed(file: Path) -> Iterable[str]:
    """Yield the names in a list, but none that leads out of its folder."""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            name = json.loads(line)
            if isinstance(name, str) and _inside(file.parent, name):
                yield name


def _inside(folder: Path, name: str) -> bool:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts:
        return False
    return (folder / name).parent.resolve().is_relative_to(folder.resolve())


def _recorded(run: Path) -> list[str]:
    """Return the names of the files that the records of a run name, or nothing if there is no run."""
    try:
        record = RunRecord.load(run)
    except InvalidRun:
        return []
    examples = [name for each in record.examples for name in (each.image, each.prediction, each.target)]
    files = _object(run / "scoring.json").get("files")
    verdict = ["gate.json", "gate.md", "junit.xml"] if "verdict" in _object(run / "gate.json") else []
    named = ["run.json", "scoring.json", *examples, *(files if isinstance(files, list) else ()), *verdict]
    return list(dict.fromkeys(name for name in named if isinstance(name, str)))


def _object(file: Path) -> dict[str, Any]:
    try:
        content = from_json(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
