"""The shapes of the answers, as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses). More members may come."""

from __future__ import annotations

from typing import Any

from rotator.domain.words import CLAIMS, STEP_NAMES, Claim, Outcome, Phase, State, Trigger

Schema = dict[str, Any]


def text(**more: Any) -> Schema:
    """A string."""
    return {"type": "string", **more}


def maybe(kind: str) -> Schema:
    """One of this type, or null."""
    return {"type": [kind, "null"]}


def ref(name: str) -> Schema:
    """The schema of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items}


def table(needed: Schema, **more: Schema) -> Schema:
    """An object with these members; `more` may be absent."""
    return {"type": "object", "properties": {**needed, **more}, "required": list(needed)}


TIME = maybe("string")
CODE = {"type": "integer", "enum": [0, 1, 2, 3, 75]}
ERROR = table({"code": text(), "where": maybe("string"), "message": text(), "fix": text()}, app=text())
ROTATION = table({
    "rotation_id": maybe("string"), "parent_id": maybe("string"), "app": text(), "org": text(),
    "trigger": text(enum=[one.value for one in Trigger]), "state": text(enum=[one.value for one in State]),
    "step": maybe("string"), "reason": maybe("string"), "message": maybe("string"), "fix": maybe("string"),
    "old_key_fp": maybe("string"), "new_key_fp": maybe("string"), "vault_path": maybe("string"),
    "vault_version": maybe("integer"), "started_at": TIME, "ended_at": TIME, "overlap_until": TIME, "next_at": TIME,
    "claims": table({name: text(enum=[one.value for one in Claim]) for name in CLAIMS}),
}, exit=CODE)  # fmt: skip
REQUEST = table({
    "request_id": text(), "action": text(), "apps": listed(text()), "actor": text(), "reason": text(),
    "ticket": text(), "asked_at": TIME, "until": TIME, "approver": maybe("string"), "approved_at": TIME,
})  # fmt: skip
PAUSE = table({
    "scope": text(enum=["app", "org", "all"]), "name": maybe("string"), "actor": text(), "reason": maybe("string"),
    "since": TIME, "until": TIME,
})  # fmt: skip
APP = table({
    "app": text(), "org": maybe("string"), "kind": maybe("string"), "paused": {"type": "boolean"},
    "secret_age_s": maybe("integer"), "last_rotated_at": TIME, "next_due_at": TIME, "overdue": {"type": "boolean"},
    "why": text(), "rotation": {"anyOf": [ref("Rotation"), {"type": "null"}]},
})  # fmt: skip
EVENT = table({
    "seq": {"type": "integer"}, "ts": text(), "rotation_id": maybe("string"), "actor": text(), "org": maybe("string"),
    "app": maybe("string"), "step": text(enum=list(STEP_NAMES)), "phase": text(enum=[one.value for one in Phase]),
    "outcome": {"enum": [*(one.value for one in Outcome), None]}, "error": maybe("string"),
    "evidence": {"type": "object"}, "hash": text(),
})  # fmt: skip
DAEMON = table({
    "pid": {"type": "integer"}, "version": text(), "started_at": text(), "uptime_s": {"type": "number"},
    "host": text(), "config_hash": text(), "database": text(), "apps": {"type": "integer"},
    "at_hand": {"type": "integer"}, "in_work": {"type": "integer"}, "ticked_s_ago": {"type": "number"},
})  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Error": table({"ok": {"const": False}, "exit": CODE, "errors": {**listed(ERROR), "minItems": 1}}),
    "Rotation": ROTATION,
    "Driven": table(
        {"ok": {"type": "boolean"}, "exit": CODE, "rotations": listed(ref("Rotation")),
         "skipped": listed({"type": "object"}), "not_begun": listed(text()), "warnings": listed(text())},
        errors=listed(ERROR),
    ),
    "One": table({"rotation": ref("Rotation")}),
    "Plan": table({"ok": {"const": True}, "exit": CODE, "app": text(), "org": text(), "vault_path": text(),
                   "primary_fp": text(), "live_fp": maybe("string"), "live_version": {"type": "integer"},
                   "same": {"type": "boolean"}, "slot": listed({"type": "object"}),
                   "rotation": {"anyOf": [ref("Rotation"), {"type": "null"}]}, "message": text()}),
    "Adopted": table({"ok": {"const": True}, "exit": CODE, "app": text(), "org": text(), "vault_path": text(),
                      "vault_version": {"type": "integer"}, "written": {"type": "boolean"},
                      "old_key_fp": maybe("string"), "new_key_fp": text(), "run_as": text(),
                      "next": maybe("string"), "message": text()}),
    "Turned": table({"ok": {"const": True}, "exit": CODE, "app": text(), "org": text(), "blocked": {"type": "boolean"},
                     "changed": {"type": "boolean"}, "message": text()}),
    "Ended": table({"ok": {"type": "boolean"}, "exit": CODE, "app": text(), "org": text(),
                    "ended": {"type": "integer"}, "left": {"type": "integer"}, "spared": listed(text()),
                    "notes": listed(text()), "message": text()}),
    "Pauses": table({"ok": {"const": True}, "exit": CODE, "pauses": listed(PAUSE), "message": text()}),
    "Requests": table({"ok": {"const": True}, "exit": CODE, "requests": listed(REQUEST)}),
    "Reviewed": table({"ok": {"const": True}, "exit": CODE, "reviewed": table({"rotation_id": text(), "app": text()})}),
    "Status": table({"daemon": ref("Daemon"), "now": TIME, "apps": listed(APP)}),
    "History": table({"events": listed(EVENT)}),
    "Daemon": DAEMON,
    "Health": table({"ok": {"type": "boolean"}}, ticking={"type": "boolean"}, database={"type": "boolean"}),
    "OpenApi": table({"openapi": text(), "paths": {"type": "object"}}),
}  # fmt: skip
