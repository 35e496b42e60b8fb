"""`rotator receive` and `rotator applied`: a person's part in the rotation of a classic connected app."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from rotator.cli import remote
from rotator.cli.base import Command
from rotator.cli.driving import Tell, drive, tell
from rotator.cli.durations import DURATION
from rotator.cli.handover import read_pair
from rotator.cli.session import session
from rotator.domain.pair import Pair
from rotator.domain.secret import Secret


@click.command(cls=Command)
@click.argument("app")
@click.option("--replace", is_flag=True, help="Another pair in place of the one that was handed over before.")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def receive(context: click.Context, app: str, replace: bool, timeout: timedelta | None) -> int:
    """Takes the pair that a person generated in Setup.

    At a terminal it asks, and shows nothing of what is typed; else standard input holds key, newline, secret, newline.
    Returns when the pair is safe in Vault and Apply may be clicked (exit 75: waiting).
    """
    return hand_over(context, app, read_pair(), timeout, replace=replace)


@click.command(cls=Command)
@click.argument("app")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def applied(context: click.Context, app: str, timeout: timedelta | None) -> int:
    """Says that Apply was clicked: asks for it until the new pair is accepted, publishes it, proves."""
    return say_applied(context, app, timeout)


def hand_over(context: click.Context, app: str, pair: Pair, timeout: timedelta | None, *, replace: bool,
              told: Tell = tell) -> int:
    """The pair, to the daemon over its Unix socket, or into Vault from here. Gives the exit code."""
    with session(context) as here:
        daemon = here.daemon()
        if daemon is not None:
            secret = pair.secret or Secret("")
            body = {"app": app, "key": pair.key, "secret": secret.reveal(), "replace": replace}
            return remote.drive(here, daemon, "/receive", body, timeout, told)
        from rotator.wiring import handing
        from rotator.wiring.asking import who
        from rotator.wiring.errand import driven

        me = who(os.environ)
        return drive(here, timeout, lambda links, setting: (
            [driven(handing.receive(links, setting, app, me, pair, replace=replace))], ()), told)  # fmt: skip


def say_applied(context: click.Context, app: str, timeout: timedelta | None, told: Tell = tell) -> int:
    """The same, of Apply."""
    with session(context) as here:
        daemon = here.daemon()
        if daemon is not None:
            return remote.drive(here, daemon, "/applied", {"app": app}, timeout, told)
        from rotator.wiring import handing
        from rotator.wiring.asking import who
        from rotator.wiring.errand import driven

        me = who(os.environ)
        return drive(here, timeout, lambda links, setting: (
            [driven(handing.applied(links, setting, app, me))], ()), told)  # fmt: skip
