"""Compute scores and their intervals from counts."""
