"""Notices: the conditions that were told, and the outbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "alarms",
        *texts("key", "topic", "body", "since", "told_at"),
        sa.PrimaryKeyConstraint("key", name="pk_alarms"),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        *texts("id", "channel", "key", "topic", "body", "at", "state"),
        sa.Column("tries", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *texts("next_at", "owner"),
        sa.Column("lease_until", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        *texts("error"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
        sqlite_strict=True,
    )
    op.create_index("outbox_due", "outbox", ["channel", "state", "next_at"])
