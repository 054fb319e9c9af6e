"""What changed between two models, and whether it is more than chance."""
