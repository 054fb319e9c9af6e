"""From a batch of images to predictions: sizes, windows, inference."""
