"""Find all faults of a data set before a run, and describe a folder that has no description yet."""

from robseg.check.check import check
from robseg.check.report import Report

__all__ = ["Report", "check"]
