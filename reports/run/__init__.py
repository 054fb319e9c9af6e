"""A run on disk: its record, its counts, and what runs must share to be compared."""
