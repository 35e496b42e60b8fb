"""Each tick asks for the newest good rotation of each app, and for what failed since: found by index, however many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

GOOD = "retired_at IS NOT NULL"
BAD = "state IN ('failed', 'abandoned')"


def upgrade() -> None:
    for name, where in (("rotations_good", GOOD), ("rotations_bad", BAD)):
        op.create_index(
            name, "rotations", ["app", "started_at"], sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
