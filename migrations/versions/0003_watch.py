"""Who looks for what is due and since when, which hosts use the database, and what the sweep saw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "watch",
        sa.Column("id", number, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("looked_at", "gone_at", "back_at")),
        sa.PrimaryKeyConstraint("id", name="pk_watch"),
        sa.CheckConstraint("id = 1", name="one_row"),
        sqlite_strict=True,
    )
    op.create_table(
        "hosts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("boot_id", "machine_id", "name", "since", "seen_at")),
        sa.PrimaryKeyConstraint("boot_id", name="pk_hosts"),
        sqlite_strict=True,
    )
    op.create_table(
        "sweeps",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("org", "owner")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("lease_until", "swept_at")),
        sa.PrimaryKeyConstraint("org", name="pk_sweeps"),
        sqlite_strict=True,
    )
    op.create_table(
        "sightings",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("app", "look", "state", "what", "words", "fix", "since", "seen_at")
        ),
        sa.PrimaryKeyConstraint("app", "look", name="pk_sightings"),
        sa.CheckConstraint("state IN ('ok', 'drift', 'blind')", name="state"),
        sqlite_strict=True,
    )
