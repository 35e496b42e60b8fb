"""The tables as the code sees them; migrations/ builds the same (a test compares both). docs/database.md explains them.

A field of domain.Rotation without a column of its own stands in `more`; a migration may give it one. Times are
RFC 3339 text in UTC with six decimals: the same on both databases, and text order is time order. Lists and dicts are
canonical JSON text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer, "sqlite")
FLAG = SmallInteger().with_variant(Integer, "sqlite")  # 0 or 1: SQLite's STRICT tables know no boolean


def _must(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _texts(*names: str) -> list[Column[Any]]:
    return [_must(name) for name in names]


def _numbers(*names: str) -> list[Column[Any]]:
    return [_must(name, NUMBER) for name in names]


def _times(*names: str) -> list[Column[Any]]:
    return [Column(name, Text) for name in names]


def _flags(*names: str) -> list[Column[Any]]:
    return [_must(name, FLAG) for name in names]


OPEN = "state NOT IN ('done', 'abandoned', 'failed')"
GOOD = "retired_at IS NOT NULL"
BAD = "state IN ('failed', 'abandoned')"

consumers = Table(
    "consumers",
    metadata,
    *_texts("org_id", "consumer_id"),
    *_texts("owner"),  # of the lease; "": free
    *_numbers("epoch"),  # grows with every claim: a worker of an older one is stale
    *_times("lease_until"),
    _must("lease_ms", NUMBER),  # how long a commit extends it
    *_texts("rotation_id"),  # the open rotation, else the last; "": none yet
    *_texts("open_intents"),  # JSON list of steps whose intent has no outcome, of any rotation
    *_numbers("publish_cas", "escrow_cas"),  # check-and-set of the latest write intents; -1: none
    PrimaryKeyConstraint("org_id", "consumer_id"),
    sqlite_strict=True,
)

rotations = Table(
    "rotations",
    metadata,
    *_texts("id", "app", "org", "org_id", "consumer_id", "consumer", "target", "policy", "who", "trigger", "parent_id"),
    *_numbers("number"),
    *_texts("state", "goal", "ends_as", "step", "reason", "message", "fix"),
    *_flags("released"),
    *_texts("discard_foreign"),
    *_times("started_at", "ended_at", "next_at"),
    *_texts("old_keys"),
    *_numbers("old_version"),
    *_texts("parent_new", "leftover", "new_key"),
    *_flags("posting", "promoting"),
    *_numbers("publish_version", "published_version", "discards"),
    *_texts("canary", "compared", "verified", "run_as"),
    *_times("overlap_until"),
    *_flags("overlap_ended"),
    *_times("abandon_until"),
    *_flags("abandon_now"),
    *_times("settle_until", "verify_until", "verified_from", "retired_at", "refused_at", "failing_since"),
    *_numbers("refusals"),
    *_times("last_refusal"),
    *_numbers("revoked"),
    *_flags("listing_blind"),
    *_numbers("proof_tries"),
    *_flags("proven"),
    *_texts("claims", "switch"),
    *_numbers("tries", "refused_calls", "logins"),
    *_texts("more"),  # JSON: the fields that have no column of their own yet
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["org_id", "consumer_id"], ["consumers.org_id", "consumers.consumer_id"]),
    # Protocol, Abandon: a promote intent and an abandon exclude each other.
    CheckConstraint("NOT (promoting = 1 AND goal = 'abandon')", name="promote_or_abandon"),
    sqlite_strict=True,
)
# Invariant 8: one open rotation per consumer.
Index(
    "one_open_rotation", rotations.c.org_id, rotations.c.consumer_id, unique=True,
    sqlite_where=text(OPEN), postgresql_where=text(OPEN),
)  # fmt: skip
Index("rotations_of_app", rotations.c.app)
# The look of each tick: the newest good rotation of each app, and what failed since.
Index(
    "rotations_good", rotations.c.app, rotations.c.started_at,
    sqlite_where=text(GOOD), postgresql_where=text(GOOD),
)  # fmt: skip
Index(
    "rotations_bad", rotations.c.app, rotations.c.started_at,
    sqlite_where=text(BAD), postgresql_where=text(BAD),
)  # fmt: skip

org_facts = Table(
    "org_facts",
    metadata,
    *_texts("org_id", "fact", "value", "seen_at", "how"),
    PrimaryKeyConstraint("org_id", "fact"),
    sqlite_strict=True,
)

orgs = Table(
    "orgs",
    metadata,
    *_texts("name", "org_id", "pinned_at"),
    PrimaryKeyConstraint("name"),
    sqlite_strict=True,
)

pauses = Table(
    "pauses",
    metadata,
    *_texts("scope", "name", "actor", "reason", "since"),  # name "": of everything
    *_times("until"),  # null: until somebody resumes
    PrimaryKeyConstraint("scope", "name"),
    CheckConstraint("scope IN ('app', 'org', 'all')", name="scope"),
    sqlite_strict=True,
)

# When a daemon last looked for what is due, and the last time in which none did.
watch = Table(
    "watch",
    metadata,
    *_numbers("id"),
    *_times("looked_at", "gone_at", "back_at"),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="one_row"),
    sqlite_strict=True,
)

hosts = Table(
    "hosts",
    metadata,
    *_texts("boot_id", "machine_id", "name", "since", "seen_at"),
    PrimaryKeyConstraint("boot_id"),
    sqlite_strict=True,
)

# The sweep of an org: who is at it, and when it last came to its end.
sweeps = Table(
    "sweeps",
    metadata,
    *_texts("org", "owner"),
    *_times("lease_until", "swept_at"),
    PrimaryKeyConstraint("org"),
    sqlite_strict=True,
)

# What the sweep saw of an app, one row per look; `what` names the picture, so that the same one is told once.
sightings = Table(
    "sightings",
    metadata,
    *_texts("app", "look", "state", "what", "words", "fix", "since", "seen_at"),
    PrimaryKeyConstraint("app", "look"),
    CheckConstraint("state IN ('ok', 'drift', 'blind')", name="state"),
    sqlite_strict=True,
)

# Requests for a second person (rotator.domain.approval). An approved one is spent by the rotation that it opens.
approvals = Table(
    "approvals",
    metadata,
    *_texts("id", "action", "what", "who", "asked_at", "until", "approver"),  # approver "": nobody yet
    *_times("approved_at", "since"),  # since: from when on evidence is looked up; no part of what is asked for
    PrimaryKeyConstraint("id"),
    sqlite_strict=True,
)
Index("approvals_open", approvals.c.until)

# Conditions that hold and were told (rotator.domain.notice): one row each, gone when it is over.
alarms = Table(
    "alarms",
    metadata,
    *_texts("key", "topic", "body", "since", "told_at"),
    PrimaryKeyConstraint("key"),
    sqlite_strict=True,
)

# Notices on their way, one row per channel.
outbox = Table(
    "outbox",
    metadata,
    *_texts("id", "channel", "key", "topic", "body", "at", "state"),
    *_numbers("tries"),
    *_texts("next_at", "owner"),  # of the claim; "": nobody's
    *_times("lease_until", "ended_at"),
    *_texts("error"),
    PrimaryKeyConstraint("id"),
    CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
    sqlite_strict=True,
)
Index("outbox_due", outbox.c.channel, outbox.c.state, outbox.c.next_at)

# What `audit prune` must keep.
legal_holds = Table(
    "legal_holds",
    metadata,
    *_texts("scope", "name", "actor", "reason", "ticket", "since"),  # name "": everything
    PrimaryKeyConstraint("scope", "name"),
    CheckConstraint("scope IN ('app', 'org', 'all')", name="scope"),
    sqlite_strict=True,
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", NUMBER, nullable=False, autoincrement=False),
    *_texts("event_id", "ts"),
    Column("rotation_id", Text),
    Column("trigger", Text),
    _must("actor"),
    Column("origin", Text),
    Column("approver", Text),
    _must("break_glass", FLAG),
    Column("reason", Text),
    Column("ticket", Text),
    Column("org", Text),
    Column("app", Text),
    _must("step"),
    _must("attempt", NUMBER),
    _must("phase"),
    Column("outcome", Text),
    Column("error", Text),
    Column("http_status", NUMBER),
    Column("remote_request_id", Text),
    Column("old_key_fp", Text),
    Column("new_key_fp", Text),
    Column("vault_path", Text),
    Column("vault_version", NUMBER),
    Column("duration_ms", NUMBER),
    *_texts("evidence", "host", "version", "config_hash", "prev_hash", "hash"),
    PrimaryKeyConstraint("seq"),
    CheckConstraint("phase IN ('intent', 'outcome', 'observe', 'decision')", name="phase"),
    CheckConstraint("outcome IN ('ok', 'failed', 'unknown', 'refused', 'held')", name="outcome"),
    CheckConstraint("(phase = 'intent') = (outcome IS NULL)", name="only_an_intent_is_open"),
    sqlite_strict=True,
)
Index("audit_event_id", audit_events.c.event_id, unique=True)
Index("audit_of_rotation", audit_events.c.rotation_id, audit_events.c.step)
Index("audit_of_app", audit_events.c.app, audit_events.c.ts)
# What one person did alone, and must be reviewed: few rows among many.
Index(
    "audit_break_glass", audit_events.c.rotation_id, audit_events.c.step,
    sqlite_where=text("break_glass = 1"), postgresql_where=text("break_glass = 1"),
)  # fmt: skip

# The chain's end: locked by whoever appends (PostgreSQL), and a witness against a cut tail.
audit_head = Table(
    "audit_head",
    metadata,
    *_numbers("id"),
    *_numbers("seq"),
    *_texts("hash"),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="one_row"),
    sqlite_strict=True,
)
