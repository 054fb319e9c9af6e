"""Layouts, one module per upstream: how it names and orders the tensors of its checkpoints."""
