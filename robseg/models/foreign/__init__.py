"""What the adapters of other people's models share: reading files, unwrapping answers, describing models."""
