"""The commands of `robseg`, a file each."""
