"""Moved to robseg.models.refine.source; here until nobody imports it from here."""

from robseg.models.refine.source import METHOD, RefineSource, check

__all__ = ["METHOD", "RefineSource", "check"]
