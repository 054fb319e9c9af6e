"""From images to labels: sizes, windows, inference."""
