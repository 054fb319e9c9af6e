"""The errors that a user can fix."""

from reports.run.errors import IncompleteRun, InputError, unknown_name

__all__ = ["IncompleteRun", "InputError", "unknown_name"]
