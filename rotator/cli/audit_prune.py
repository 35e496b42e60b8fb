"""`rotator audit prune`."""

from __future__ import annotations

import os
from dataclasses import asdict, replace

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.log_words import clean


@click.command(cls=Command)
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the tombstone.")
@click.option("--ticket", default="", metavar="ID", help="The ticket that says so.")
@click.option("--dry-run", is_flag=True, help="Only tells what would go.")
@click.pass_context
def prune(context: click.Context, reason: str, ticket: str, dry_run: bool) -> int:
    """Removes rows older than `[audit] retention`; a signed tombstone stays. As the owner of the tables."""
    with session(context) as here:
        from rotator.wiring.asking import who
        from rotator.wiring.retaining import prune as work

        done = work(here.connect(), replace(who(os.environ, reason), ticket=ticket), dry_run=dry_run)
        if here.common.as_json:
            out.document({"ok": True, **asdict(done), "dry_run": dry_run})
            return 0
        verb = "would go" if dry_run else "are gone"
        words = f"{done.rows} rows {verb}, up to row {done.to}, all older than {done.before[:10]}"
        out.say(words if done.rows else f"no row may go: none that is older than {done.before[:10]}")
        if done.kept_by:
            out.note(clean(f"more must stay: {done.kept_by}"))
    return 0
