"""Telling: what is found beside the rotations, what waits when a command ends, and a test of every channel."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from rotator.adapters.sql.survey import Survey, survey
from rotator.config import Config
from rotator.config.notify import HOOKS, named
from rotator.domain.errors import RotatorError, UsageError
from rotator.domain.ids import sortable_id
from rotator.domain.notice import Notice, Status, Topic, app_key
from rotator.domain.rotation import Who
from rotator.domain.words import State, Why
from rotator.notify.hook import Command, Hook
from rotator.notify.postman import CLAIM, Postman
from rotator.ports import Clock
from rotator.wiring.asking import owner
from rotator.wiring.channels import sender_of
from rotator.wiring.connections import Connections
from rotator.wiring.due import standing_of
from rotator.wiring.naming import nearest

FLUSH = 10.0  # seconds that a command stays for notices; what is left is carried by the next one, or by the daemon
HOOK_ROOM = 60.0  # seconds within which a command begins further hooks
HOOK_HANDS = 4  # hooks that run side by side
GRACE = timedelta(hours=1)  # an app is told as overdue when it should have been rotated so long ago
HOOK_MERCY = 5.0  # seconds for hooks to end when they must
CALM = frozenset({State.OVERLAP, State.HELD, State.UNPROVEN})  # the new pair is live, or a human was told already


def in_use(connections: Connections) -> bool:
    """Whether anybody is told of anything, or any app has a hook."""
    return bool(connections.config.notify) or any(app.hooks.published for app in connections.config.apps.values())


# --- what is found beside the rotations


def look(connections: Connections) -> None:
    """Says which apps have become overdue and which are so no more; tells again what lasts; forgets what is old."""
    if not in_use(connections):
        return
    if connections.config.notify:
        late = {notice.key: notice for notice in overdue(connections, survey(connections.database))}
        over = [past(notice) for notice in connections.outbox.told(Topic.OVERDUE) if notice.key not in late]
        connections.outbox.tell([*late.values(), *over, *gone(connections)])
    connections.outbox.tend()


def overdue(connections: Connections, seen: Survey) -> Iterator[Notice]:
    """The apps that should have been rotated, and are not about to be."""
    states = {row.app: row.state for row in seen.open}
    for name, app in connections.apps.items():
        last, found = seen.last.get(name), standing_of(connections, name, seen)
        calm = states.get(name) in CALM or found.code in (Why.SPREAD, Why.CATCH_UP)
        fresh = found.at is not None and seen.now - GRACE < found.at <= seen.now
        if last is not None and found.overdue and not calm and not fresh:
            age = f"its secret is {(seen.now - last).days} days old"
            yield Notice(Topic.OVERDUE, Status.FIRING, app_key(name, Topic.OVERDUE),
                         f"should have been rotated: {found.words}; {age}", app=name, org=app.org, reason="overdue",
                         fix=f"see `rotator status {name}` and `rotator check {name}`")  # fmt: skip


def gone(connections: Connections) -> Iterator[Notice]:
    """The ends of what was told of apps that the configuration does not name any more."""
    for topic in (Topic.FAILED, Topic.FAILING, Topic.HOOK, Topic.DRIFT):
        for notice in connections.outbox.told(topic):
            if notice.app and notice.app not in connections.apps:
                yield past(notice)


def past(notice: Notice) -> Notice:
    """The end of a condition."""
    words = {Topic.OVERDUE: "rotated, or not due any more", Topic.FAILING: "it works again"}
    return Notice(notice.topic, Status.RESOLVED, notice.key, words.get(notice.topic, "over"), app=notice.app,
                  org=notice.org)  # fmt: skip


# --- carrying


def postmen(connections: Connections, stopped: Callable[[], bool], hands: int = HOOK_HANDS) -> list[Postman]:
    """One for each channel, and as many for hooks as may run side by side. Each is a sender of its own name."""
    config, clock = connections.config, connections.clock
    found = [
        Postman(name, sender_of(channel, connections.loaded.places), connections.outbox, owner(), clock.jitter)
        for name, channel in named(config.notify).items()
    ]
    limits = [app.hooks.time_limit.total_seconds() for app in config.apps.values() if app.hooks.published]
    hook = hook_of(connections, stopped)
    for _ in range(hands if limits else 0):
        found.append(Postman(HOOKS, hook, connections.outbox, owner(), clock.jitter, claim=max(limits) + CLAIM))
    return found


def hook_of(connections: Connections, stopped: Callable[[], bool]) -> Hook:
    """Who runs the hooks, with a row in the trail for each."""
    return Hook(
        command=lambda app: command_of(connections.config, app),
        record=lambda event, notice: connections.trail.record(
            event, Who(origin="hook"), org=notice.org, app=notice.app, rotation_id=notice.rotation_id
        ),
        tell=connections.outbox.tell,
        stopped=stopped,
        monotonic=connections.clock.monotonic,
    )


def command_of(config: Config, app: str) -> Command | None:
    """The program that is run after a publish of this app."""
    told = config.apps.get(app)
    if told is None or not told.hooks.published:
        return None
    return Command(told.hooks.published, told.hooks.time_limit.total_seconds())


def flush(connections: Connections, clock: Clock, stopped: Callable[[], bool]) -> None:
    """Carries what is due, for a bounded time, all channels side by side. Never raises: what is left stays in the
    outbox."""
    if not in_use(connections):
        return
    began = clock.monotonic()
    with contextlib.suppress(RotatorError):
        rounds = [_Round(postman, clock, began, stopped) for postman in postmen(connections, stopped)]
        for one in rounds:
            one.start()
        for one in rounds:
            one.join(max(0.0, one.until - clock.monotonic()))


class _Round(threading.Thread):
    """One postman's last round. A hook in hand is waited for, up to its limit; a channel is not."""

    def __init__(self, postman: Postman, clock: Clock, began: float, stopped: Callable[[], bool]) -> None:
        super().__init__(name=f"notify-{postman.channel}", daemon=True)
        hook = postman.channel == HOOKS
        self.until = began + (HOOK_ROOM + postman.claim if hook else FLUSH)
        self._begins = began + (HOOK_ROOM if hook else FLUSH)
        self._postman, self._clock, self._stopped = postman, clock, stopped

    def run(self) -> None:
        with contextlib.suppress(RotatorError):
            while not self._stopped() and self._clock.monotonic() < self._begins and self._postman.turn():
                pass


# --- without the outbox


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling one channel."""

    channel: str
    kind: str
    error: RotatorError | None
    seconds: float


def tell_directly(connections: Connections, notice: Notice, name: str = "", kind: str = "") -> Iterator[Told]:
    """Tells every channel that wants it, or the named one, at once and once, past the outbox: for a test, and for a
    database that is down. Raises UsageError where no channel is called so."""
    channels = named(connections.config.notify)
    chosen = {called: one for called, one in channels.items() if name in ("", called) and kind in ("", one.kind)}
    if not chosen:
        wanted = name or kind
        raise UsageError(f"no channel is called {wanted}{nearest(wanted, channels)}" if wanted else
                         "no channel is configured", code="no_channel",
                         fix="add a [[notify]] table: docs/notify.md")  # fmt: skip
    for called, channel in chosen.items():
        if channel.wants(notice.topic, notice.org, notice.app):
            began, error = connections.clock.monotonic(), None
            try:
                sender_of(channel, connections.loaded.places).send(notice)
            except RotatorError as failure:
                error = failure
            yield Told(called, channel.kind, error, connections.clock.monotonic() - began)


def try_out(connections: Connections, name: str = "", kind: str = "") -> Iterator[Told]:
    """Tells a test by every channel, or the named ones. An incident that it opens is closed at once."""
    host, now = connections.context.host, connections.now()
    said = Notice(Topic.TEST, Status.FIRING, f"test/{sortable_id()}", "this channel works: nothing has happened",
                  fix="nothing to do", host=host, at=now, since=now)  # fmt: skip
    for told in tell_directly(connections, said, name, kind):
        if told.error is None and told.kind == "pagerduty":
            yield from tell_directly(connections, replace(said, status=Status.RESOLVED, id=sortable_id()), told.channel)
        else:
            yield told
