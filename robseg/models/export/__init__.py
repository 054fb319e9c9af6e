"""Write a model of ours to a file for another engine: `robseg export`."""
