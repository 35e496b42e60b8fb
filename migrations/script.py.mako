"""${message}

Expand, then contract: a running older version must be able to work with this schema. Add columns with a default, never
rename or drop in the release that stops using them. Add the revision to rotator/adapters/sql/schema.py.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
