"""The errors that a user can fix."""

from reports.run.errors import InputError, unknown_name

__all__ = ["IncompleteRun", "InputError", "unknown_name"]


class IncompleteRun(RuntimeError):
    """A run ended with work left over: the command line prints the message and exits with 3."""
