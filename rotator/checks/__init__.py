"""Preflight: one function per row of the list of checks, one registry (registry.py). Nothing here changes anything."""
