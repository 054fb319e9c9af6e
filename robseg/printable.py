"""Text that a terminal or the log of a CI system shows and does not obey.

The names of models, classes, files and tensors are other people's texts. Everything that a command prints
goes through `printable`, once, in the stream.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["printable", "printable_streams", "terminal_of", "unescaped"]

# Control characters (a terminal obeys them) and characters that change the direction of a text.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# CI systems obey ::command:: at the start of a line, and ##[command] or ##vso[command] anywhere.
COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\w*\[)", re.MULTILINE)


def printable(text: str) -> str:
    """Return a text with nothing in it that a terminal or a CI system would obey, apart from line breaks.

    Examples
    --------
    >>> print(printable("\\x1b[31mred\\x1b[0m"))
    \\x1b[31mred\\x1b[0m
    >>> print(printable("::error::forged"))
    \\::error::forged
    """
    shown = OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return COMMAND.sub(lambda found: "# #" if found[0] == "##" else f"{found[1]}\\:", shown)


class _Printable:
    """A text stream that writes only what is printable; all else is as in the stream `inner`."""

    buffer = None  # click would write to it in place of this stream

    def __init__(self, inner: IO[str]) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        self.inner.write(printable(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@contextlib.contextmanager
def printable_streams() -> Iterator[None]:
    """Let stdout and stderr write only what is printable, until the block ends."""
    with contextlib.ExitStack() as stack:
        # A stream is None where the shell closed it.
        if sys.stdout is not None:
            stack.enter_context(contextlib.redirect_stdout(_Printable(sys.stdout)))
        if sys.stderr is not None:
            stack.enter_context(contextlib.redirect_stderr(_Printable(sys.stderr)))
        yield


def unescaped(stream: IO[str]) -> IO[str]:
    """Return a stream that writes everything, for our own commands to a terminal or a CI system."""
    return stream.inner if isinstance(stream, _Printable) else stream


def terminal_of(stream: IO[str]) -> IO[str]:
    """Return a stream for rich, which styles and moves text on terminals, and cleans what it is given."""
    return unescaped(stream) if stream.isatty() else stream
