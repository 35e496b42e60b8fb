"""`rotator abandon`."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from rotator.cli import remote
from rotator.cli.base import Command
from rotator.cli.driving import drive
from rotator.cli.durations import DURATION
from rotator.cli.session import session


@click.command(cls=Command)
@click.argument("app")
@click.option("--now", is_flag=True, help="Do not wait for readers of the new pair to follow back.")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")
@click.option("--timeout", type=DURATION, help="Return after this time; it goes on at the next call.")
@click.pass_context
def abandon(context: click.Context, app: str, now: bool, reason: str, timeout: timedelta | None) -> int:
    """Undoes an open rotation, as long as the new pair was not told to become primary."""
    with session(context) as here:
        daemon = here.daemon()
        if daemon is not None:
            body = {"app": app, "now": now, "reason": reason}
            return remote.drive(here, daemon, "/abandon", body, timeout)
        from rotator.wiring import undo
        from rotator.wiring.asking import who
        from rotator.wiring.errand import driven

        asked = who(os.environ, reason)
        return drive(here, timeout, lambda links, setting: (
            [driven(undo.abandon(links, setting, app, asked, now=now))], ()))  # fmt: skip
