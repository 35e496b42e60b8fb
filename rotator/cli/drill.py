"""`rotator drill`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click

from rotator.cli import out, remote
from rotator.cli.base import Command
from rotator.cli.durations import DURATION
from rotator.cli.force import drive, tell
from rotator.cli.session import Session, session
from rotator.cli.status import leaked
from rotator.control.client import Daemon
from rotator.domain.errors import UsageError


@click.command(cls=Command)
@click.argument("app")
@click.option("--ticket", default="DRILL", metavar="ID", help="Of the exercise, by `ticket_pattern`. DRILL.")
@click.option("--yes", is_flag=True, help="The app is no canary, and it is meant all the same.")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def drill(context: click.Context, app: str, ticket: str, yes: bool, timeout: timedelta | None) -> int:
    """Rehearses a force on a canary app (`canary = true`), and says how long a leaked secret would live.

    It is a real force, with the reason `drill`: approval, new pair, sessions ended, proof. Its clocks stand in the
    trail, and `status` shows them for every app of the org.
    """
    with session(context) as here:
        daemon = here.daemon()
        (one,) = _look(here, daemon, app)["apps"]
        if not (one["canary"] or yes):
            _confirm(here, app)
        code = _force(here, daemon, app, ticket, timeout)
        if not here.common.as_json:
            (one,) = _look(here, daemon, app)["apps"]
            out.say(leaked(one))
        return code


def _look(here: Session, daemon: Daemon | None, app: str) -> Any:
    from rotator.wiring.status import status

    return daemon.get("/status", app=app) if daemon is not None else status(here.connect(), app)


def _confirm(here: Session, app: str) -> None:
    """Asks a person. Raises UsageError."""
    no = UsageError(f"{app} is no canary: a drill ends its sessions and kills its pair", code="no_canary_app",
                    fix="set canary = true in its table, or say --yes")  # fmt: skip
    if here.common.as_json or not sys.stdin.isatty():
        raise no
    if click.prompt(f"{app} is no canary. Type its name to force it all the same", default="") != app:
        raise no


def _force(here: Session, daemon: Daemon | None, app: str, ticket: str, timeout: timedelta | None) -> int:
    from rotator.wiring import force as work
    from rotator.wiring.asking import who
    from rotator.wiring.leaking import DRILL
    from rotator.wiring.tickets import check_ticket

    if daemon is not None:
        body = {"apps": [app], "reason": DRILL, "ticket": ticket}
        return remote.drive(here, daemon, "/force", body, timeout, tell)
    connections = here.connect()
    asked = replace(who(os.environ, DRILL), ticket=ticket)
    scope = work.scope(connections, [app], "", everything=False)
    check_ticket(connections, asked, "drill")
    return drive(here, connections, scope, work.Order(asked), timeout)
