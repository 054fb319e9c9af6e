"""Files of weights: read without running their code, inspected, fetched."""
