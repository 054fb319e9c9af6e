"""Sanity checks: results that look like a fault of the evaluation, found in the results themselves."""
