"""Data sets in files: find, decode and check pairs of images and targets."""
