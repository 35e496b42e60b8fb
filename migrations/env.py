"""Alembic's entry: runs on the connection and inside the transaction that rotator.adapters.sql.schema hands in."""

from __future__ import annotations

from alembic import context

from rotator.adapters.sql import guard, rights, triggers
from rotator.adapters.sql.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run by `rotator db upgrade`")

context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with guard.unguarded(connection), context.begin_transaction():
    context.run_migrations()
    triggers.install(connection)  # always in their present form: a batch change of a SQLite table drops them
    rights.install(connection)  # the same: a new table gets its grants with the upgrade that makes it
