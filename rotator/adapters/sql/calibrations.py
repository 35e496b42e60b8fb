"""What the trail knows of calibrations: the rows of an org's, and its last profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events
from rotator.domain.words import Phase

STEP = "calibrate"


def rows_of(database: Database, org: str, consumer_id: str) -> list[dict[str, Any]]:
    """What calibrations of this consumer did, oldest first: `ts`, `phase`, `outcome`, `evidence`."""
    told = (audit_events.c.ts, audit_events.c.phase, audit_events.c.outcome, audit_events.c.evidence)
    mine = select(*told).where(audit_events.c.step == STEP, audit_events.c.org == org).order_by(audit_events.c.seq)
    rows = database.read(lambda connection: [dict(row._mapping) for row in connection.execute(mine)])
    read = ({**row, "evidence": json.loads(row["evidence"])} for row in rows)
    return [row for row in read if row["evidence"].get("consumer_id") == consumer_id]


def last_profile(database: Database, org: str) -> Mapping[str, Any] | None:
    """The evidence of the newest profile of this org: `profile`, `key_id`, `signature`; None: never calibrated."""
    mine = (audit_events.c.step == STEP, audit_events.c.org == org, audit_events.c.phase == Phase.DECISION.value)
    newest = select(audit_events.c.evidence).where(*mine).order_by(audit_events.c.seq.desc()).limit(1)
    found = database.read(lambda connection: connection.execute(newest).scalar())
    told: Mapping[str, Any] | None = json.loads(found) if found else None
    return told


def last_release(database: Database, org: str) -> str:
    """The release of Salesforce that the newest profile was found on; "": never calibrated."""
    found = last_profile(database, org)
    return str(found["profile"]["release"]) if found else ""
