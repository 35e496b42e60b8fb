"""`rotator run`."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from rotator.cli.base import Command
from rotator.cli.driving import drive
from rotator.cli.durations import DURATION
from rotator.cli.session import session
from rotator.domain.errors import UsageError


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="Resume all that is open, do all that is due, exit.")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def run(context: click.Context, once: bool, timeout: timedelta | None) -> int:
    """Resumes all that is open and rotates all that is due. For cron and containers: `--once`."""
    if not once:
        raise UsageError("this version has no daemon", fix="call `rotator run --once` from cron or a systemd timer")
    with session(context) as here:
        from rotator.wiring.asking import who
        from rotator.wiring.run_once import run_once

        asked = who(os.environ)
        return drive(here, timeout, lambda connections, setting: run_once(connections, setting, asked))
