"""The errors that a user can fix."""

from reports.run.errors import IncompleteRun, InputError, unknown_name

__all__ = ["IncompleteRun", "InputError", "PartDone", "unknown_name"]


class PartDone(IncompleteRun):
    """A part of a run is done, but others are not, so that there are no results yet."""
