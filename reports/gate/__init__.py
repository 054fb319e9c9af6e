"""Decide whether a run passes, by a baseline and the rules of a project."""
