"""Retention: legal holds; with them come triggers that let the oldest rows go behind a tombstone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    names = ("scope", "name", "actor", "reason", "ticket", "since")
    op.create_table(
        "legal_holds",
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_legal_holds"),
        sa.CheckConstraint("scope IN ('app', 'org', 'all')", name="scope"),
        sqlite_strict=True,
    )
