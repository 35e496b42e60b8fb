"""What each call does. A look gives its document at once; an order gives errands, which the daemon then works at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from rotator.control.bodies import (
    Abandon,
    Adopt,
    Applied,
    Approve,
    Force,
    History,
    OfApp,
    OneApp,
    Pause,
    Receive,
    Release,
    Resume,
    Review,
    Revoke,
    Rotate,
    Turn,
)
from rotator.control.callers import Caller
from rotator.control.desk import Desk, Json, Lent
from rotator.domain.errors import LedgerUnavailable, NotFound, UsageError
from rotator.domain.handed import typed
from rotator.domain.rotation import Rotation, Who
from rotator.wiring import adopting, approving, forced, handing, pausing, reading, responding, told, undo
from rotator.wiring import force as forcing
from rotator.wiring.errand import Errand, Until
from rotator.wiring.rotate import Wish, errand_for
from rotator.wiring.status import status as look
from rotator.wiring.tickets import check_ticket


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who, and what is asked."""

    caller: Caller
    asked: Any
    rotation_id: str = ""

    def who(self, reason: str = "") -> Who:
        """Who stands in the trail."""
        return Who(actor=self.caller.name, origin=self.caller.origin, reason=reason, uid=self.caller.uid)


@dataclass(frozen=True, slots=True)
class Begun:
    """What an order began: the errands, what its caller should know, and how the end is told."""

    errands: Sequence[Errand]
    warnings: Sequence[str] = ()
    tell: Callable[[Sequence[told.Driven]], Json] = told.rotations
    forced: bool = False


# --- looks


def status(desk: Desk, lent: Lent, call: Call) -> Json:
    """The document of `rotator status`, with the daemon that answers."""
    asked: OfApp = call.asked
    return {**look(lent.connections, asked.app), "daemon": desk.about()}


def history(_desk: Desk, lent: Lent, call: Call) -> Json:
    """A page of the trail. Who reads it leaves a row, once for all pages."""
    asked: History = call.asked
    since = reading.moment(asked.since, lent.connections.now()) if asked.since else None
    rows = list(islice(lent.connections.trail.history(asked.app or None, since, after=asked.after), asked.limit))
    if not asked.after:
        reading.note(lent.connections, call.who(), {"read": "history", "app": asked.app or None, "rows": len(rows)})
    return {"events": rows}


def daemon(desk: Desk, _lent: Lent, _call: Call) -> Json:
    """The daemon in a few words."""
    return desk.about()


def one_rotation(_desk: Desk, lent: Lent, call: Call) -> Json:
    """A rotation, open or ended. Raises NotFound."""
    return {"rotation": told.rotation(found(lent, call.rotation_id))}


def found(lent: Lent, rotation_id: str) -> Rotation:
    """The rotation of this id. Raises NotFound."""
    row = lent.connections.ledger.rotation(rotation_id)
    if row is None:
        raise NotFound("there is no rotation of this id", fix="see `rotator status`, or /history")
    return row


def ready(_desk: Desk, lent: Lent, _call: Call) -> Json:
    """Whether the database answers. Raises LedgerUnavailable."""
    lent.connections.now()
    return {"ok": True, "database": True}


def health(desk: Desk, _lent: Lent, _call: Call) -> Json:
    """Whether the daemon still looks for what is due. Raises LedgerUnavailable where it does not."""
    if not desk.ticking():
        raise LedgerUnavailable("the daemon has not looked for work for a while", code="not_ticking",
                                fix="see its log; systemd restarts it by its watchdog")
    return {"ok": True, "ticking": True}


# --- pauses


def pause(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Pauses an app, an org, or all. Raises UsageError where it is not exactly one."""
    asked: Pause = call.asked
    what = pausing.extent(lent.connections, asked.app, asked.org, everything=asked.all)
    return pausing.paused(lent.connections, what, call.who(asked.reason), asked.lasting)


def resume(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Lifts a pause. Raises as `pause`."""
    asked: Resume = call.asked
    what = pausing.extent(lent.connections, asked.app, asked.org, everything=asked.all)
    return pausing.resumed(lent.connections, what, call.who(asked.reason))


# --- what an incident needs beside a rotation


def block(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Turns the app's OAuth switch off. Raises as `responding.turn`."""
    return _turned(lent, call, blocked=True)


def unblock(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Turns it on again. Raises as `responding.turn`."""
    return _turned(lent, call, blocked=False)


def _turned(lent: Lent, call: Call, *, blocked: bool) -> Json:
    asked: Turn = call.asked
    who = replace(call.who(asked.reason), ticket=asked.ticket)
    return responding.turn(lent.connections, lent.setting().patience, asked.app, who, blocked=blocked).document


def revoke(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Ends the app's tokens and sessions. Raises as `responding.revoke`."""
    asked: Revoke = call.asked
    who, links = replace(call.who(asked.reason), ticket=asked.ticket), lent.connections
    done = responding.revoke(links, lent.setting().patience, asked.app, who, including_users=asked.including_users)
    return done.document


# --- the primary pair as it is


def to_adopt(_desk: Desk, lent: Lent, call: Call) -> Json:
    """What an adoption would do. Raises as `adopting.plan`."""
    asked: OneApp = call.asked
    return adopting.plan(lent.connections, asked.app, call.who())


def adopt(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Does it. Raises as `adopting.take`."""
    asked: Adopt = call.asked
    wish = adopting.Wish(asked.primary_fp, asked.live_version)
    return adopting.take(lent.connections, lent.setting().patience, asked.app, call.who(asked.reason), wish)


# --- the second person


def approvals(_desk: Desk, lent: Lent, _call: Call) -> Json:
    """What waits for one."""
    return approving.waiting(lent.connections)


def approve(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Raises Refused for whoever asked and for a request that has ended, NotFound."""
    asked: Approve = call.asked
    return approving.approved(lent.connections, asked.request_id, call.who())


def review(_desk: Desk, lent: Lent, call: Call) -> Json:
    """Raises Refused where there is nothing to review or the same person asks, NotFound."""
    asked: Review = call.asked
    return approving.reviewed(lent.connections, asked.rotation_id, call.who(asked.reason))


# --- orders


def rotate(lent: Lent, call: Call) -> Begun:
    """An errand for each app; one that is named twice counts once. Raises UsageError for an unknown one."""
    asked: Rotate = call.asked
    until = Until(asked.until) if asked.until else None
    wish = Wish(call.who(asked.reason), until=until, dry_run=asked.dry_run)
    names = list(dict.fromkeys(asked.apps))
    errands = [errand_for(lent.connections, lent.setting(), name, wish) for name in names]
    return Begun(errands, list(pausing.warnings(lent.connections, names)))


def abandon(lent: Lent, call: Call) -> Begun:
    """Raises Refused where nothing is open or it is too late, UsageError for an unknown app."""
    asked: Abandon = call.asked
    return Begun([undo.abandon(lent.connections, lent.setting(), asked.app, call.who(asked.reason), now=asked.now)])


def release(lent: Lent, call: Call) -> Begun:
    """Raises Refused where nothing is held, UsageError for an unknown app or a fingerprint that is not the pair's."""
    asked: Release = call.asked
    who, foreign = call.who(asked.reason), asked.discard_foreign
    return Begun([undo.release(lent.connections, lent.setting(), asked.app, who, discard_foreign=foreign)])


def receive(lent: Lent, call: Call) -> Begun:
    """Raises UsageError for an unknown app, for what is no new pair of it, and over TCP; Refused where none is awaited.
    """
    asked: Receive = call.asked
    _must_be_local(call.caller)
    pair, who = typed(asked.key, asked.secret.get_secret_value()), call.who(asked.reason)
    return Begun([handing.receive(lent.connections, lent.setting(), asked.app, who, pair, replace=asked.replace)])


def _must_be_local(caller: Caller) -> None:
    if caller.origin != "socket":
        raise UsageError("a pair is handed over on the machine of the daemon", code="socket_only",
                         fix="run `rotator receive` there: its Unix socket is the only way in")


def applied(lent: Lent, call: Call) -> Begun:
    """Raises Refused where no Apply is awaited, UsageError for an unknown app."""
    asked: Applied = call.asked
    return Begun([handing.applied(lent.connections, lent.setting(), asked.app, call.who(asked.reason))])


def force(lent: Lent, call: Call) -> Begun:
    """Raises UsageError where apps, org and all are not exactly one, a name is not known, or the ticket is none."""
    asked: Force = call.asked
    links = lent.connections
    who = replace(call.who(asked.reason), ticket=asked.ticket, break_glass=asked.break_glass)
    since = reading.moment(asked.since, links.now()) if asked.since else None
    order = forcing.Order(who, including_users=asked.including_users, since=since, block_first=asked.block_first,
                          stay_blocked=asked.stay_blocked)
    scope = forcing.scope(links, asked.apps, asked.org, everything=asked.all)
    check_ticket(links, who, "force")
    order = forcing.admitted(links, order, scope.apps)
    shared = forcing.shared_users(links, scope.apps)
    errands = [forcing.errand_for(links, lent.setting(), name, order) for name in scope.apps]
    return Begun(errands, forced.warnings(shared), partial(forced.document, scope, shared), forced=True)
