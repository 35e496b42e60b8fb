"""Notices to send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rotator.domain.notice import Notice, Status, Topic

NOW = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
HELD = Notice(
    Topic.HELD, Status.FIRING, "rotation/r1/held", "the staged slot holds a pair that we did not make",
    fix="find out who staged it; then `rotator release billing`", reason="foreign_staged", app="billing", org="acme",
    rotation_id="r1", trigger="scheduled", state="held", step="hold", vault_path="salesforce/acme/billing",
    host="host-1", since=NOW, at=NOW, id="n1",
)  # fmt: skip
RESOLVED = replace(HELD, status=Status.RESOLVED, message="not held any more: running", fix="", reason="", id="n2")
PUBLISHED = replace(HELD, topic=Topic.PUBLISHED, status=Status.ONCE, key="app/billing/published", reason="", fix="",
                    vault_version=8, id="r1.8")  # fmt: skip
HOSTILE = replace(HELD, app="billing\r\nBcc: thief@evil.example", message="<!channel> *a*\r\n.\r\n\x1b[31m\u202e & b",
                  fix="00DEX0000000001!AQ4AQFtokentokentokentoken")  # fmt: skip
