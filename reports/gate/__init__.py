"""Whether a run passes, held against a baseline and the rules of a project."""
