"""Whether two runs rank models and corruptions alike."""
