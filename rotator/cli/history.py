"""`rotator history`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.domain.errors import UsageError
from rotator.log_words import clean


@click.command(cls=Command)
@click.argument("app", required=False, default=None)
@click.option("--since", metavar="T", help="A time (RFC 3339), or how long ago: 24h, 30d.")
@click.pass_context
def history(context: click.Context, app: str | None, since: str | None) -> int:
    """Shows the audit trail, readable."""
    with session(context) as here:
        from rotator.wiring.reading import read_trail

        connections = here.connect()
        start = moment(since, connections.now()) if since else None
        rows = read_trail(connections, os.environ, app, start)
        if here.common.as_json:
            out.document({"events": list(rows)})
        else:
            for row in rows:
                out.say(line(row))
    return 0


def moment(written: str, now: datetime) -> datetime:
    """A time, or a duration before `now`. A time without a zone is UTC. Raises UsageError."""
    from rotator.config.durations import parse_duration

    try:
        return now - parse_duration(written)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError("--since takes a time such as 2026-11-24T09:00:00Z, or a duration such as 24h",
                         fix="rotator history --since 24h") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def line(row: Mapping[str, Any]) -> str:
    """An audit row for people."""
    what = row["phase"] if row["outcome"] is None else f"{row['phase']} {row['outcome']}"
    text = f"{row['seq']:>6} {row['ts'][:23]}Z {row['app'] or row['org'] or '-':<16} {row['step']:<12} {what}"
    more = [f"vault version {row['vault_version']}" if row["vault_version"] else "",
            f"HTTP {row['http_status']}" if row["http_status"] else "",
            f"by {row['actor']}" if row["phase"] == "decision" else "",
            clean(row["error"] or row["reason"] or "")]  # fmt: skip
    return "  ".join([text, *filter(None, more)])

