"""The reports, by name."""
