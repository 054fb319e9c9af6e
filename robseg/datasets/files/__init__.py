"""Data sets in files: pairs of images and targets, found, decoded, checked."""
