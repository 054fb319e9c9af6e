"""Compare two models: what changed, and whether it is more than chance."""
