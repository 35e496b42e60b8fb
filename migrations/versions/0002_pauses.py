"""Pauses of routine work: of one app, of an org, of everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "pauses",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("scope", "name", "actor", "reason", "since")),
        sa.Column("until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_pauses"),
        sa.CheckConstraint("scope IN ('app', 'org', 'all')", name="scope"),
        sqlite_strict=True,
    )
