"""ImageNet-C, with its extras."""
