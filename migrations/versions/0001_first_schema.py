"""The first schema: leases and rotations, what is known of orgs, the audit trail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state NOT IN ('done', 'abandoned', 'failed')")
Columns = list[sa.Column[Any]]


def texts(*names: str) -> Columns:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def numbers(*names: str) -> Columns:
    return [sa.Column(name, NUMBER, nullable=False) for name in names]


def flags(*names: str) -> Columns:
    return [sa.Column(name, FLAG, nullable=False) for name in names]


def optional(*names: str, kind: Any = sa.Text) -> Columns:
    return [sa.Column(name, kind, nullable=True) for name in names]


def upgrade() -> None:
    consumers()
    rotations()
    orgs()
    audit()


def consumers() -> None:
    op.create_table(
        "consumers",
        *texts("org_id", "consumer_id", "owner"),
        *numbers("epoch"),
        *optional("lease_until"),
        *numbers("lease_ms"),
        *texts("rotation_id", "open_intents"),
        *numbers("publish_cas", "escrow_cas"),
        sa.PrimaryKeyConstraint("org_id", "consumer_id", name="pk_consumers"),
        sqlite_strict=True,
    )


def rotation_columns() -> Columns:
    return [
        *texts("id", "app", "org", "org_id", "consumer_id", "consumer", "target", "policy", "who", "trigger"),
        *texts("parent_id"),
        *numbers("number"),
        *texts("state", "goal", "ends_as", "step", "reason", "message", "fix"),
        *flags("released"),
        *texts("discard_foreign"),
        *optional("started_at", "ended_at", "next_at"),
        *texts("old_keys"),
        *numbers("old_version"),
        *texts("parent_new", "leftover", "new_key"),
        *flags("posting", "promoting"),
        *numbers("publish_version", "published_version", "discards"),
        *texts("canary", "compared", "verified", "run_as"),
        *optional("overlap_until"),
        *flags("overlap_ended"),
        *optional("abandon_until"),
        *flags("abandon_now"),
        *optional("settle_until", "verify_until", "verified_from", "retired_at", "refused_at", "failing_since"),
        *numbers("refusals"),
        *optional("last_refusal"),
        *numbers("revoked"),
        *flags("listing_blind"),
        *numbers("proof_tries"),
        *flags("proven"),
        *texts("claims", "switch"),
        *numbers("tries", "refused_calls", "logins"),
        *texts("more"),
    ]


def rotations() -> None:
    op.create_table(
        "rotations",
        *rotation_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_rotations"),
        sa.ForeignKeyConstraint(
            ["org_id", "consumer_id"], ["consumers.org_id", "consumers.consumer_id"], name="fk_rotations_consumers"
        ),
        sa.CheckConstraint("NOT (promoting = 1 AND goal = 'abandon')", name="promote_or_abandon"),
        sqlite_strict=True,
    )
    op.create_index(
        "one_open_rotation",
        "rotations",
        ["org_id", "consumer_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("rotations_of_app", "rotations", ["app"])


def orgs() -> None:
    op.create_table(
        "org_facts",
        *texts("org_id", "fact", "value", "seen_at", "how"),
        sa.PrimaryKeyConstraint("org_id", "fact", name="pk_org_facts"),
        sqlite_strict=True,
    )
    op.create_table(
        "orgs",
        *texts("name", "org_id", "pinned_at"),
        sa.PrimaryKeyConstraint("name", name="pk_orgs"),
        sqlite_strict=True,
    )


def audit() -> None:
    op.create_table(
        "audit_events",
        sa.Column("seq", NUMBER, nullable=False, autoincrement=False),
        *texts("event_id", "ts"),
        *optional("rotation_id", "trigger"),
        *texts("actor"),
        *optional("origin", "approver"),
        *flags("break_glass"),
        *optional("reason", "ticket", "org", "app"),
        *texts("step"),
        *numbers("attempt"),
        *texts("phase"),
        *optional("outcome", "error"),
        *optional("http_status", kind=NUMBER),
        *optional("remote_request_id", "old_key_fp", "new_key_fp", "vault_path"),
        *optional("vault_version", "duration_ms", kind=NUMBER),
        *texts("evidence", "host", "version", "config_hash", "prev_hash", "hash"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_events"),
        sa.CheckConstraint("phase IN ('intent', 'outcome', 'observe', 'decision')", name="phase"),
        sa.CheckConstraint("outcome IN ('ok', 'failed', 'unknown', 'refused', 'held')", name="outcome"),
        sa.CheckConstraint("(phase = 'intent') = (outcome IS NULL)", name="only_an_intent_is_open"),
        sqlite_strict=True,
    )
    op.create_index("audit_event_id", "audit_events", ["event_id"], unique=True)
    op.create_index("audit_of_rotation", "audit_events", ["rotation_id", "step"])
    op.create_index("audit_of_app", "audit_events", ["app", "ts"])
    op.create_table(
        "audit_head",
        *numbers("id", "seq"),
        *texts("hash"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name="one_row"),
        sqlite_strict=True,
    )
    # The hash of nothing: row 1 links to it.
    op.execute(sa.text("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :zeros)").bindparams(zeros="0" * 64))
