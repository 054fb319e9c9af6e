"""A run that has not ended does not pass for one that has, even if a model or data set ends the program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from robseg.errors import IncompleteRun

__all__ = ["exit_error", "no_exit"]


@contextlib.contextmanager
def no_exit() -> Iterator[None]:
    """Raise IncompleteRun in place of SystemExit and other exceptions that are no errors, except Ctrl-C."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise exit_error(error) from error


def exit_error(error: BaseException) -> IncompleteRun:
    """Return the error in place of an exception that would end the program."""
    kind = type(error).__name__ + (f" ({error})" if str(error) else "")
    return IncompleteRun(
        f"Expected the models and the data set to return, but one of them raised {kind}: remove what ends "
        "the program, such as sys.exit(), and run the same command again to continue."
    )
