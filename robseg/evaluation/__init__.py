"""Running models over the grid of corruptions.

plan says what has to be computed, executors who does it, worker how one shard is done, store where the
counts go; runner strings them together.
"""
