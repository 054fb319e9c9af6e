"""Patterns of file names in a dataset.toml: `*`, `?`, `[...]` and `**` as in a shell, and `{id}`."""

from __future__ import annotations

import dataclasses
import logging
import re
from pathlib import Path, PurePosixPath

from robseg.datasets.files.layout import IMAGE_SUFFIXES, composed, every_file, on_disk
from robseg.errors import InputError

__all__ = ["Pattern", "is_pattern"]

notes = logging.getLogger("robseg")

WILDCARD = re.compile(r"((?:^|(?<=/))\*\*(?:/|$)|\*|\?|\[!?\]?[^\]]*\]|\{id\})")


def is_pattern(text: str) -> bool:
    """Return whether a text has wildcards.

    Examples
    --------
    >>> is_pattern("photos"), is_pattern("seq*/{id}.jpg")
    (False, True)
    """
    return WILDCARD.search(text) is not None


@dataclasses.dataclass(frozen=True)
class Pattern:
    """A path with wildcards. `{id}` matches any text without a slash, the same wherever it stands."""

    text: str

    @property
    def folder(self) -> str:
        """The path above the first part with a wildcard."""
        return PurePosixPath(*self._parts[: self._first]).as_posix()

    @property
    def literals(self) -> str:
        """The text below `folder` without the wildcards."""
        return WILDCARD.sub("", "/".join(self._parts[self._first :]))

    @property
    def wildcards(self) -> int:
        """The number of wildcards, where `{id}` counts once."""
        return self._regex().groups

    def find(self, root: Path) -> dict[Path, str]:
        """Return {file: key} for the image files below `root` that match, in upper or lower case.

        The key is the text in the place of each wildcard, that of `{id}` last, joined by slashes.
        """
        regex = self._regex()
        exact = re.compile(regex.pattern)
        found, in_other_case = {}, []
        for path, file in every_file(on_disk(root, self.folder)):
            if file.suffix.lower() in IMAGE_SUFFIXES and (match := regex.fullmatch(path)):
                found[file] = _key(match)
                if not exact.fullmatch(path):
                    in_other_case.append(path)
        if in_other_case:
            notes.info(
                "'%s' matches %d of %d files only in another case, such as '%s': they are taken.",
                self.text,
                len(in_other_case),
                len(found),
                min(in_other_case),
            )
        return found

    @property
    def _parts(self) -> tuple[str, ...]:
        return PurePosixPath(composed(self.text)).parts

    @property
    def _first(self) -> int:
        return next(place for place, part in enumerate(self._parts) if is_pattern(part))

    def _regex(self) -> re.Pattern[str]:
        rest = "/".join(self._parts[self._first :])
        id_group = "(?P<id>[^/]+)"
        regex = ""
        for piece in WILDCARD.split(rest):
            if piece == "{id}":
                regex, id_group = regex + id_group, "(?P=id)"
            else:
                regex += _regex_of(piece)
        try:
            return re.compile(regex, re.IGNORECASE)
        except re.error as error:
            raise InputError(f"Expected a pattern of file names, but got '{self.text}': {error}.") from error


def _regex_of(piece: str) -> str:
    if piece in {"**/", "**"}:
        return "((?:[^/]+/)*)" if piece == "**/" else "(.*)"
    if piece in {"*", "?"}:
        return "([^/]*)" if piece == "*" else "([^/])"
    if WILDCARD.fullmatch(piece):
        inside = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"([{'^' + inside[1:] if inside.startswith('!') else inside}])"
    return re.escape(piece)


def _key(match: re.Match[str]) -> str:
    texts = [text.strip("/") for text in match.groups()]
    if "id" in match.re.groupindex:
        texts.append(texts.pop(match.re.groupindex["id"] - 1))
    return "/".join(text for text in texts if text)
