"""The architectures, one module each: its name is the architecture's, its `ARCHITECTURE` the record of it."""
