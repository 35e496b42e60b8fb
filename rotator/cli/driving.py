"""Commands that drive rotations: what they share from patience to the last line, with a daemon and without one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rotator.cli import out
from rotator.cli.progress import News, Show, Wait, progress
from rotator.cli.session import Session

if TYPE_CHECKING:
    from datetime import datetime

    from rotator.domain.event import Event
    from rotator.domain.rotation import Rotation
    from rotator.wiring.connections import Connections
    from rotator.wiring.errand import Errand, Setting

    Skipped = Sequence[Mapping[str, object]]
    Drive = Callable[[Connections, Setting], tuple[Sequence[Errand], Skipped]]


Tell = Callable[[Session, Mapping[str, Any]], int]


def tell(here: Session, document: Mapping[str, Any]) -> int:
    """What came of it, for programs or for people; gives the exit code."""
    if here.common.as_json:
        out.document(document)
    else:
        say(document)
    return int(document["exit"])


def drive(here: Session, timeout: timedelta | None, work: Drive, tell: Tell = tell) -> int:
    """Runs `work` in this process with live progress, tells what came of it, gives the exit code."""
    from rotator.wiring import notices, told

    connections = here.connect()
    errands, skipped = progressed(here, connections, timeout, work)
    code = tell(here, told.rotations(errands, skipped))
    notices.flush(connections, here.clock, lambda: here.stop.requested)
    return code


def progressed(here: Session, connections: Connections, timeout: timedelta | None,
               work: Drive, *, database: bool = True) -> tuple[Sequence[Errand], Skipped]:
    """Runs `work` with live progress; gives what came of it. `database`: whether there is one to write to."""
    from rotator.wiring.asking import owner
    from rotator.wiring.errand import Patience, Setting
    from rotator.wiring.reading import note_config
    from rotator.wiring.settings import timing_of

    if database:
        note_config(connections, os.environ)
        _warn_if_older(connections)
    end = here.clock.monotonic() + timeout.total_seconds() if timeout is not None else float("inf")
    timing = connections.config.timing
    with progress(to_stderr=here.common.as_json) as show:
        patience = Patience(here.clock, lambda: here.stop.requested, end)
        setting = Setting(timing_of(timing), timing.poll, owner(), patience, *_tellers(show))
        return work(connections, setting)


def _warn_if_older(connections: Connections) -> None:
    from rotator.wiring.anchoring import hold_if_older
    from rotator.wiring.asking import who
    from rotator.wiring.spooling import merge_spools

    merge_spools(connections)
    last = hold_if_older(connections, who(os.environ))
    if last is not None:
        out.note(f"warning: the database is older than its last anchor (row {last.seq} of {last.at}), or another one: "
                 "every open rotation is held (docs/runbook.md)")


def _tellers(show: Show) -> tuple[Callable[[Event, Rotation], None], Callable[[Rotation, datetime], None]]:
    """What the saga reports, as progress."""
    from rotator.wiring.logged import logged

    def report(event: Event, row: Rotation) -> None:
        logged(event, row)
        show.step(News(row.app, event.step, event.phase, event.outcome, event.error, parks=row.next_at is not None))

    def waits(row: Rotation, now: datetime) -> None:
        if row.next_at is not None:
            show.waits(Wait(row.app, row.step, row.next_at, (row.next_at - now).total_seconds()))

    return report, waits


def say(document: Mapping[str, Any]) -> None:
    """What became of each, in words."""
    from rotator.cli.words import ending

    for row in document["rotations"]:
        for line in ending(row):
            out.say(line)
    for error in document.get("errors", ()):
        out.note(f"{error['app']}:")
        out.complain_of(error)
    for app in document["not_begun"]:
        out.say(f"{app}: not begun; run the command again")
    for one in document["skipped"]:
        out.say(f"{one['app']}: skipped, {one['reason']}")
