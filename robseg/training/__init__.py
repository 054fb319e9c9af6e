"""Training: a recipe and data go in, weights with a card come out."""
