"""What all adapters of other people's models share: reading, answers, cards, the digest of code."""
