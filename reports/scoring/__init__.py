"""From counts to scores and their intervals."""
