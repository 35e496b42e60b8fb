"""Commands that drive rotations: what they share from patience to the last line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rotator.cli import out
from rotator.cli.progress import progress
from rotator.cli.session import Session

if TYPE_CHECKING:
    from rotator.wiring.connections import Connections
    from rotator.wiring.errand import Errand, Setting

    Skipped = Sequence[Mapping[str, object]]
    Drive = Callable[[Connections, Setting], tuple[Sequence[Errand], Skipped]]


def drive(here: Session, timeout: timedelta | None, work: Drive) -> int:
    """Runs `work` with live progress, tells what came of it, gives the exit code."""
    from rotator.wiring import notices, told

    connections = here.connect()
    errands, skipped = progressed(here, connections, timeout, work)
    if here.common.as_json:
        out.document(told.rotations(errands, skipped))
    else:
        tell(errands, skipped)
    notices.flush(connections, here.clock, lambda: here.stop.requested)
    return told.exit_of(errands)


def progressed(here: Session, connections: Connections, timeout: timedelta | None,
               work: Drive) -> tuple[Sequence[Errand], Skipped]:
    """Runs `work` with live progress; gives what came of it."""
    from rotator.wiring.asking import owner
    from rotator.wiring.errand import Patience, Setting
    from rotator.wiring.reading import note_config
    from rotator.wiring.settings import timing_of

    note_config(connections, os.environ)
    _warn_if_older(connections)
    end = here.clock.monotonic() + timeout.total_seconds() if timeout is not None else float("inf")
    timing = connections.config.timing
    with progress(to_stderr=here.common.as_json) as show:
        patience = Patience(here.clock, lambda: here.stop.requested, end)
        setting = Setting(timing_of(timing), timing.poll, owner(), patience, show.report, show.waits)
        return work(connections, setting)


def _warn_if_older(connections: Connections) -> None:
    from rotator.wiring.anchoring import hold_if_older
    from rotator.wiring.asking import who

    last = hold_if_older(connections, who(os.environ))
    if last is not None:
        out.note(f"warning: the database is older than its last anchor (row {last.seq} of {last.at}), or another one: "
                 "every open rotation is held (docs/runbook.md)")


def tell(errands: Sequence[Errand], skipped: Skipped) -> None:
    """What became of each, in words."""
    from rotator.cli.words import ending

    for errand in errands:
        if errand.row is not None:
            for line in ending(errand.row, errand.until):
                out.say(line)
        if errand.error is not None:
            out.note(f"{errand.app}:")
            out.complain(errand.error)
        elif errand.row is None:
            out.say(f"{errand.app}: not begun; run the command again")
    for one in skipped:
        out.say(f"{one['app']}: skipped, {one['reason']}")
