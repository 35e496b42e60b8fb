"""OCSF 1.6.0, class Entity Management (3004), for a SIEM: the entity is the app whose credential is managed.

Account Change (3001) is about the accounts of persons and API Activity (6003) about calls of an API that is served;
what the rotator does is to create, activate, update and delete the credential of an application.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rotator.domain.chain import canonical
from rotator.exports.about import Row

VERSION = "1.6.0"
CLASS, CATEGORY = 3004, 3
# schema.ocsf.io, entity_management: the activities that our steps are.
CREATE, READ, UPDATE, DELETE, ENABLE, DISABLE, ACTIVATE, SUSPEND, RESUME, OTHER = 1, 2, 3, 4, 8, 9, 10, 12, 13, 99
_ACTIVITIES = {
    "stage": CREATE, "receive": CREATE, "escrow": UPDATE, "publish": UPDATE, "restore": UPDATE, "adopt": UPDATE,
    "fence": UPDATE, "promote": ACTIVATE, "clear": DELETE, "discard": DELETE, "retire": DELETE, "revoke": DELETE,
    "destroy": DELETE, "block": DISABLE, "unblock": ENABLE, "pause": SUSPEND, "resume": RESUME, "hold": SUSPEND,
    "release": RESUME, "read": READ, "check": READ, "verify": READ, "drift": READ, "refused": READ, "prove": READ,
}  # fmt: skip
_STATUS = {"ok": 1, "failed": 2, "refused": 2, "unknown": 0, "held": 99}
_SEVERITY = {"failed": 3, "refused": 3, "held": 4, "unknown": 2}  # 1 informational, 2 low, 3 medium, 4 high
_TOLD = frozenset({"ts", "event_id", "rotation_id", "reason", "app", "outcome", "error", "duration_ms"})


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """A line of JSON per row."""
    for row in rows:
        yield canonical(event(row)) + "\n"


def event(row: Row) -> dict[str, Any]:
    """A row as an OCSF event; what the class has no attribute for stands in `unmapped`, under our names."""
    activity = _ACTIVITIES.get(row["step"], OTHER)
    told = {
        "activity_id": activity, "activity_name": row["step"] if activity == OTHER else None,
        "category_uid": CATEGORY, "class_uid": CLASS, "type_uid": CLASS * 100 + activity,
        "time": round(datetime.fromisoformat(row["ts"]).timestamp() * 1000),
        "severity_id": _SEVERITY.get(row["outcome"], 1), "status_id": _STATUS.get(row["outcome"]),
        "status": row["outcome"] if row["outcome"] == "held" else None, "status_detail": row["error"],
        "status_code": str(row["http_status"]) if row["http_status"] else None,
        "message": f"{row['step']} {row['outcome'] or row['phase']}", "comment": row["reason"],
        "duration": row["duration_ms"], "entity": _entity(row), "actor": {"user": {"name": row["actor"]}},
        "metadata": _metadata(row), "unmapped": _unmapped(row),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _entity(row: Row) -> dict[str, object]:
    if row["app"]:
        return {"name": row["app"], "type": "application credential"}
    return {"name": row["org"], "type": "org"} if row["org"] else {"name": "rotator", "type": "service"}


def _metadata(row: Row) -> dict[str, object]:
    product = {"name": "rotator", "vendor_name": "rotator", "version": row["version"]}
    found = {"version": VERSION, "product": product, "uid": row["event_id"], "event_code": row["step"],
             "sequence": row["seq"], "correlation_uid": row["rotation_id"], "original_time": row["ts"],
             "log_name": "audit_events"}  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _unmapped(row: Row) -> dict[str, object]:
    left = {name: value for name, value in row.items() if value is not None and name not in _TOLD}
    return {**left, "evidence": json.loads(row["evidence"]), "break_glass": bool(row["break_glass"])}
