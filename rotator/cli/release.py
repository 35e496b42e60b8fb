"""`rotator release`."""

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
@click.option("--discard-foreign", default="", metavar="KEY_FP",
              help="Delete the foreign staged pair with this fingerprint.")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")
@click.option("--timeout", type=DURATION, help="Return after this time; it goes on at the next call.")
@click.pass_context
def release(context: click.Context, app: str, discard_foreign: str, reason: str, timeout: timedelta | None) -> int:
    """Lets a held rotation go on, and returns as `rotate` does."""
    with session(context) as here:
        daemon = here.daemon()
        if daemon is not None:
            body = {"app": app, "discard_foreign": discard_foreign, "reason": reason}
            return remote.drive(here, daemon, "/release", body, timeout)
        from rotator.wiring import undo
        from rotator.wiring.asking import who
        from rotator.wiring.errand import driven

        asked = who(os.environ, reason)
        return drive(here, timeout, lambda links, setting: (
            [driven(undo.release(links, setting, app, asked, discard_foreign=discard_foreign))], ()))  # fmt: skip
