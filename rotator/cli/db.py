"""`rotator db`."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from rotator.cli import out
from rotator.cli.base import Group
from rotator.cli.session import Session, session
from rotator.log_words import clean


@click.group(cls=Group)
def db() -> None:
    """The database."""


@db.command()
@click.pass_context
def upgrade(context: click.Context) -> int:
    """Makes the tables, or brings them to this version. Make a backup first."""
    with session(context) as here:
        from rotator.adapters.sql import schema

        before = schema.upgrade(here.connect().bare_database)
        words = "was up to date" if before == schema.HEAD else f"upgraded from {before}" if before else "made"
        _tell(here, {"ok": True, "before": before or None, "now": schema.HEAD}, f"schema {schema.HEAD}: {words}")
    return 0


@db.command()
@click.option("--take-over", is_flag=True, help="SQLite: another machine that used the file is gone for good.")
@click.pass_context
def check(context: click.Context, take_over: bool) -> int:
    """Looks whether the tables, the triggers that protect the trail, and the rights are as they should be."""
    with session(context) as here:
        from rotator.adapters.sql import hosts, rights, schema
        from rotator.wiring.asking import who

        connections = here.connect()
        database = connections.bare_database
        schema.check(database)
        if take_over:
            gone = hosts.take_over(database, connections.here, connections.context, who(os.environ))
            out.note(f"taken over from {', '.join(gone)}" if gone else "no other machine used the file")
        warnings = rights.wrong(database)
        for warning in warnings:
            out.note(f"warning: {warning} (docs/database.md)")
        _tell(here, {"ok": True, "now": schema.HEAD, "warnings": list(warnings)},
              f"schema {schema.HEAD}: as it should be")  # fmt: skip
    return 0


@db.command()
@click.option("--dry-run", is_flag=True, help="Only tells what differs.")
@click.pass_context
def rebuild(context: click.Context, dry_run: bool) -> int:
    """Makes the state what the audit trail says. Stop the daemon and make a backup first."""
    with session(context) as here:
        from rotator.wiring.rebuilding import rebuild as work

        done = work(here.connect(), os.environ, dry_run=dry_run)
        words = f"{len(done.changed)} other than the trail says, {len(done.removed)} unknown to it"
        ending = "nothing was changed" if dry_run else "as the trail says now"
        told = f"{done.rotations} rotations in {done.rows} rows: {words}; {ending}"
        _tell(here, {"ok": True, **asdict(done), "dry_run": dry_run}, told)
        for one in done.beside:
            out.note(clean(f"other than the trail says: {one}"))
        for one in done.headless:
            out.note(f"left as it is: {one}, whose opening is not in the trail any more")
    return 0


def _tell(here: Session, told: dict[str, object], words: str) -> None:
    if here.common.as_json:
        out.document(told)
    else:
        out.say(words)
