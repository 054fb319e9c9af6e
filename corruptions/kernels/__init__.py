"""Compiled numerics: pure functions of images and physical parameters."""
