"""Layouts: how the upstreams name and order the tensors of their checkpoints, one module each."""
