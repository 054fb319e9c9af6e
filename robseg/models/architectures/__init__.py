"""The architectures: each module has the name of its architecture, and its record in `ARCHITECTURE`."""
