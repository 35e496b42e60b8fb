"""`rotator run`."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from rotator.cli.base import Command
from rotator.cli.driving import drive
from rotator.cli.durations import DURATION
from rotator.cli.out import document
from rotator.cli.session import session
from rotator.domain.errors import UsageError
from rotator.process import Hangup


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="Resume all that is open, do all that is due, exit.")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def run(context: click.Context, once: bool, timeout: timedelta | None) -> int:
    """Rotates all that is due and resumes all that is open: as a daemon, or `--once` for cron and containers.

    The daemon parks what is in hand at SIGTERM and reads its configuration again at SIGHUP.
    """
    if not once:
        if timeout is not None:
            raise UsageError("--timeout belongs to --once", fix="stop the daemon by SIGTERM")
        return _daemon(context)
    with session(context) as here:
        from rotator.wiring.asking import who
        from rotator.wiring.run_once import run_once

        asked = who(os.environ)
        return drive(here, timeout, lambda connections, setting: run_once(connections, setting, asked))


def _daemon(context: click.Context) -> int:
    with session(context, log_level="info") as here:
        from rotator.daemon.office import Office
        from rotator.daemon.service import Service
        from rotator.wiring.asking import owner, who
        from rotator.wiring.errand import Patience, Setting
        from rotator.wiring.logged import logged
        from rotator.wiring.reading import note_config
        from rotator.wiring.settings import timing_of

        def hire() -> Office:
            connections = here.connect()
            note_config(connections, os.environ)
            timing, patience = connections.config.timing, Patience(here.clock, lambda: here.stop.requested)
            setting = Setting(timing_of(timing), timing.poll, owner(), patience, logged)
            return Office(connections, setting, who(os.environ, origin="daemon"))

        hangup = Hangup()
        with hangup.caught():
            code = Service(hire, here.stop, here.clock, os.environ).run(hangup)
        if here.common.as_json:
            document({"ok": code == 0, "exit": code})
        return code
