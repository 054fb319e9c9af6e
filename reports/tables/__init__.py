"""The tables of runs as data frames, and as CSV files."""
