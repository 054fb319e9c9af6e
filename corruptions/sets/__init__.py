"""The corruption sets."""
