"""`rotator run`."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from rotator.cli.base import Command
from rotator.cli.driving import drive
from rotator.cli.durations import DURATION
from rotator.cli.out import complain, document
from rotator.cli.owner import become
from rotator.cli.session import Session, session
from rotator.domain.errors import RotatorError, UsageError
from rotator.domain.rotation import Who
from rotator.process import Hangup

if TYPE_CHECKING:
    from rotator.cli.driving import Skipped
    from rotator.wiring.connections import Connections
    from rotator.wiring.errand import Errand, Setting
    from rotator.wiring.outside import Outside


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

        return drive(here, timeout, partial(_once, who(os.environ)))


def _once(asked: Who, connections: Connections, setting: Setting) -> tuple[Sequence[Errand], Skipped]:
    """All that is open, all that is due; the metrics of it go to the file that the configuration names."""
    from rotator.wiring.run_once import run_once

    if not connections.config.metrics.textfile:
        return run_once(connections, setting, asked)
    from rotator.metrics.meters import Meters
    from rotator.wiring.measuring import hears, reports, write_textfile

    meters = Meters(connections.clock.monotonic)
    connections.outside.heard = hears(meters)
    found = run_once(connections, replace(setting, report=reports(meters, setting.report)), asked)
    try:
        write_textfile(connections, meters)
    except RotatorError as error:  # what was rotated is told all the same
        complain(error)
    return found


def _read(here: Session) -> None:
    """The first configuration; one that is refused leaves a row in the trail where it can."""
    from rotator.adapters.sql.audit import Context
    from rotator.wiring.asking import who
    from rotator.wiring.refusing import noted

    said = Context(socket.gethostname(), version("rotator"), config_hash="")
    with noted(here.common.config, os.environ, who(os.environ, origin="daemon"), here.clock, said, become):
        here.read_ahead()


def _daemon(context: click.Context) -> int:
    with session(context, log_level="info") as here:
        _read(here)
        from rotator.control.door import Door
        from rotator.daemon.office import Office
        from rotator.daemon.service import Service
        from rotator.metrics.meters import Meters
        from rotator.wiring.anchoring import hold_if_older
        from rotator.wiring.asking import owner, who
        from rotator.wiring.errand import Patience, Setting
        from rotator.wiring.logged import logged
        from rotator.wiring.measuring import reports
        from rotator.wiring.reading import note_config
        from rotator.wiring.settings import timing_of
        from rotator.wiring.spooling import merge_spools

        meters, me = Meters(here.clock.monotonic), owner()  # one name, whatever is reloaded

        def hire(outside: Outside) -> Office:
            connections = here.connect(outside)
            note_config(connections, os.environ)
            asked = who(os.environ, origin="daemon")
            merge_spools(connections)
            hold_if_older(connections, asked)
            timing, patience = connections.config.timing, Patience(here.clock, lambda: here.stop.requested)
            setting = Setting(timing_of(timing), timing.poll, me, patience, reports(meters, logged))
            return Office(connections, setting, asked)

        def door(office: Office) -> Door:
            return Door(office.connections.loaded, office.connections.context.version)

        hangup = Hangup()
        with hangup.caught():
            code = Service(hire, here.stop, here.clock, os.environ, meters, door).run(hangup)
        if here.common.as_json:
            document({"ok": code == 0, "exit": code})
        return code
