"""Measure whether two runs rank models and corruptions alike."""
