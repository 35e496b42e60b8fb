"""`rotator check`."""
