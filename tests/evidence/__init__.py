"""The evidence package."""
