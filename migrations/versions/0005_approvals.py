"""Requests for a second person; what one person did alone is found in the trail without reading all of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "approvals",
        *(sa.Column(name, sa.Text(), nullable=False)
          for name in ("id", "action", "what", "who", "asked_at", "until", "approver")),
        sa.Column("approved_at", sa.Text(), nullable=True),
        sa.Column("since", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("approvals_open", "approvals", ["until"])
    op.create_index("audit_break_glass", "audit_events", ["rotation_id", "step"],
                    sqlite_where=sa.text("break_glass = 1"), postgresql_where=sa.text("break_glass = 1"))
