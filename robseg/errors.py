"""The errors that a user can fix."""

__all__ = ["IncompleteRun", "InputError"]


class InputError(ValueError):
    """Wrong usage or input: the command line prints the message without a traceback and exits with 2.

    The message has one or two lines: what was expected, what came, what to do.
    """


class IncompleteRun(RuntimeError):
    """A run ended with work left over: the command line prints the message and exits with 3."""
