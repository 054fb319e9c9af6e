"""Who does the shards of a run."""
