"""`rotator rotate`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rotator.cli import remote
from rotator.cli.assisting import Heard, assist
from rotator.cli.base import Command
from rotator.cli.driving import Tell, drive
from rotator.cli.durations import DURATION
from rotator.cli.out import note
from rotator.cli.session import session
from rotator.domain.errors import UsageError
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.cli.driving import Skipped
    from rotator.wiring.connections import Connections
    from rotator.wiring.errand import Errand, Setting
    from rotator.wiring.rotate import Wish


@click.command(cls=Command)
@click.argument("apps", nargs=-1, required=True, metavar="APP...")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")
@click.option("--until", type=click.Choice(["overlap", "done"]),
              help="How far to go; by default `overlap`, or `done` where the overlap is zero.")
@click.option("--dry-run", is_flag=True, help="Stage a pair, verify it, discard it.")
@click.option("--no-wait", is_flag=True, help="Hand it to the daemon and return.")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def rotate(context: click.Context, apps: tuple[str, ...], reason: str, until: str | None, dry_run: bool,
           no_wait: bool, timeout: timedelta | None) -> int:
    """Rotates these apps now, or resumes what is open of them.

    Returns when the new pair is live. The old pair stays valid until the overlap ends; then the rotation goes on at
    the next `rotate` or `run`. A classic connected app needs a person: at a terminal it asks for what is needed, else
    it exits 3 at the step `receive`.
    """
    heard = Heard()
    code = _rotate(context, apps, reason, until, timeout, heard, dry_run=dry_run, no_wait=no_wait)
    return code if no_wait or timeout is not None else assist(context, heard, code)


def _rotate(context: click.Context, apps: tuple[str, ...], reason: str, until: str | None, timeout: timedelta | None,
            told: Tell, *, dry_run: bool, no_wait: bool) -> int:
    with session(context) as here:
        daemon = here.daemon()
        if daemon is not None:
            body = {"apps": list(dict.fromkeys(apps)), "reason": reason, "until": until, "dry_run": dry_run,
                    "wait": not no_wait}  # fmt: skip
            return remote.drive(here, daemon, "/rotate", body, timeout, told)
        if no_wait:
            raise UsageError("--no-wait needs a running daemon", fix="leave it away: this command does the work itself")
        from rotator.wiring.asking import who
        from rotator.wiring.errand import Until
        from rotator.wiring.rotate import Wish

        wish = Wish(who(os.environ, reason), until=Until(until) if until else None, dry_run=dry_run)
        return drive(here, timeout, lambda connections, setting: _work(connections, setting, apps, wish), told)


def _work(connections: Connections, setting: Setting, apps: Sequence[str],
          wish: Wish) -> tuple[Sequence[Errand], Skipped]:
    """A person's word beats a pause, with a warning."""
    from rotator.wiring.pausing import warnings
    from rotator.wiring.rotate import rotate as work

    for warning in warnings(connections, apps):
        note(clean(f"warning: {warning}"))
    return work(connections, setting, apps, wish), ()
