"""The audit trail as files for others: JSON Lines, CSV, OCSF (docs/export.md)."""
