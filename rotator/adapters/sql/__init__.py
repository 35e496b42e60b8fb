"""The ledger on SQLite and PostgreSQL, by SQLAlchemy Core: rows, leases, audit trail, schema."""
