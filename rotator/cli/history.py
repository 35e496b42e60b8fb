"""`rotator history`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import Session, session
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.control.client import Daemon

PAGE = 1000  # rows of one call to the daemon


@click.command(cls=Command)
@click.argument("app", required=False, default=None)
@click.option("--since", metavar="T", help="A time (RFC 3339), or how long ago: 24h, 30d.")
@click.pass_context
def history(context: click.Context, app: str | None, since: str | None) -> int:
    """Shows the audit trail, readable."""
    with session(context) as here:
        daemon = here.daemon()
        rows = _from(daemon, app, since) if daemon is not None else _read(here, app, since)
        if here.common.as_json:
            out.document({"events": list(rows)})
        else:
            for row in rows:
                out.say(line(row))
    return 0


def _read(here: Session, app: str | None, since: str | None) -> Iterator[dict[str, Any]]:
    from rotator.wiring.reading import moment, read_trail

    connections = here.connect()
    return read_trail(connections, os.environ, app, moment(since, connections.now()) if since else None)


def _from(daemon: Daemon, app: str | None, since: str | None) -> Iterator[dict[str, Any]]:
    """Page by page."""
    after: int | None = None
    while page := daemon.get("/history", app=app, since=since, after=after, limit=PAGE)["events"]:
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["seq"]


def line(row: Mapping[str, Any]) -> str:
    """An audit row for people."""
    what = row["phase"] if row["outcome"] is None else f"{row['phase']} {row['outcome']}"
    text = f"{row['seq']:>6} {row['ts'][:23]}Z {row['app'] or row['org'] or '-':<16} {row['step']:<12} {what}"
    more = [f"vault version {row['vault_version']}" if row["vault_version"] else "",
            f"HTTP {row['http_status']}" if row["http_status"] else "",
            f"by {row['actor']}" if row["phase"] == "decision" else "",
            clean(row["error"] or row["reason"] or "")]  # fmt: skip
    return "  ".join([text, *filter(None, more)])

