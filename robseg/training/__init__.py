"""Training: a recipe and data in; weights with a card out."""
