"""The triggers that make `audit_events` append-only (stack.md 4 and reliability.md 7.3 say which holes were measured).

SQLite: update and delete are refused; the insert guard refuses a gap, a wrong link, and `INSERT OR REPLACE`, which
walks past a delete trigger where recursive_triggers is off. PostgreSQL: the same, and TRUNCATE; ENABLE ALWAYS, so
that `session_replication_role = replica` silences none of them.

One way is open, for `audit prune`: rows that the newest row of the trail, a tombstone, names, and that are older than
any retention may be (FLOOR_DAYS). The tombstone is a row of the chain, so nothing goes unseen.
"""

from __future__ import annotations

from sqlalchemy import Connection

from rotator.domain.chain import GENESIS

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END"
FLOOR_DAYS = 90  # config.service asks for as much
_STONE = "t.step = 'prune' AND t.phase = 'decision' AND t.outcome = 'ok'"
# SQLite takes json_extract for unsafe in a trigger (trusted_schema is off). The text is canonical JSON, in which no
# value can hold `,"to":`: a quote inside a text has a backslash before it.
_TO = """CAST(substr(t.evidence, instr(t.evidence, ',"to":') + 6) AS INTEGER)"""
_BEFORE = """substr(t.evidence, instr(t.evidence, ',"before":"') + 11, 27)"""
_LINK = "(SELECT hash FROM audit_events ORDER BY seq DESC LIMIT 1)"
_SQLITE = {
    "audit_events_no_update": f"BEFORE UPDATE ON audit_events {_REFUSE}",
    "audit_events_no_delete": f"""BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_events AS t WHERE t.seq = (SELECT max(seq) FROM audit_events) AND {_STONE}
  AND OLD.seq <= {_TO} AND OLD.ts < {_BEFORE})
  OR OLD.ts >= strftime('%Y-%m-%dT%H:%M:%f', 'now', '-{FLOOR_DAYS} days')
{_REFUSE}""",  # noqa: S608 - constants only
    "audit_events_chain": f"""BEFORE INSERT ON audit_events
WHEN NEW.seq IS NOT coalesce((SELECT max(seq) FROM audit_events), 0) + 1
  OR NEW.prev_hash IS NOT coalesce({_LINK}, '{GENESIS}')
BEGIN SELECT RAISE(ABORT, 'audit_events is a chain: not the next row'); END""",  # noqa: S608 - constants only
}

_CALL_REFUSE = "EXECUTE FUNCTION audit_events_refuse()"
_POSTGRES_FUNCTIONS = (
    f"""CREATE OR REPLACE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE t record;
BEGIN
  IF TG_OP = 'DELETE' THEN
    SELECT * INTO t FROM audit_events ORDER BY seq DESC LIMIT 1;
    IF {_STONE} THEN
      IF OLD.seq <= (t.evidence::json->>'to')::bigint AND OLD.ts < t.evidence::json->>'before' AND OLD.ts <
        to_char(clock_timestamp() AT TIME ZONE 'UTC' - interval '{FLOOR_DAYS} days', 'YYYY-MM-DD"T"HH24:MI:SS') THEN
        RETURN OLD;
      END IF;
    END IF;
  END IF;
  RAISE EXCEPTION 'audit_events is append-only';
END $$""",  # noqa: S608 - constants only
    f"""CREATE OR REPLACE FUNCTION audit_events_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq IS DISTINCT FROM coalesce((SELECT max(seq) FROM audit_events), 0) + 1
    OR NEW.prev_hash IS DISTINCT FROM coalesce({_LINK}, '{GENESIS}') THEN
    RAISE EXCEPTION 'audit_events is a chain: not the next row';
  END IF;
  RETURN NEW;
END $$""",  # noqa: S608 - constants only
)
_POSTGRES = {
    "audit_events_no_update": f"BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW {_CALL_REFUSE}",
    "audit_events_no_truncate": f"BEFORE TRUNCATE ON audit_events {_CALL_REFUSE}",
    "audit_events_chain": "BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_events_next()",
}


def install(connection: Connection) -> None:
    """Puts the triggers there in their present form, inside the caller's transaction."""
    postgres = connection.dialect.name == "postgresql"
    for function in _POSTGRES_FUNCTIONS if postgres else ():
        connection.exec_driver_sql(function)
    for name, body in (_POSTGRES if postgres else _SQLITE).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (" ON audit_events" if postgres else ""))
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {body}")
        if postgres:
            connection.exec_driver_sql(f"ALTER TABLE audit_events ENABLE ALWAYS TRIGGER {name}")


def missing(connection: Connection) -> list[str]:
    """The triggers that are gone or can be silenced."""
    if connection.dialect.name == "postgresql":
        found = connection.exec_driver_sql(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_events'::regclass AND tgenabled = 'A'"
        )
        return sorted(set(_POSTGRES) - {row[0] for row in found})
    found = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
    )
    return sorted(set(_SQLITE) - {row[0] for row in found})
