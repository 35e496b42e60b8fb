"""What an incident needs of one app beside a rotation: its OAuth switch, and the end of its tokens.

Neither asks Vault where the responder's login comes from a file, so that both work while Vault is away. Each change
has an intent and an outcome in the trail, under the consumer's lease.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta

from rotator.adapters.salesforce import SalesforceOrg
from rotator.adapters.sql.survey import run_as_by_app
from rotator.domain.errors import LeaseTaken, OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.domain.event import Event
from rotator.domain.pair import Consumer
from rotator.domain.rotation import Rotation, Who
from rotator.domain.session import Grant, Lever, Listing
from rotator.domain.words import Outcome, Phase
from rotator.ports import Lease
from rotator.wiring import switches
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.errand import LATE, PRESSING, Patience
from rotator.wiring.own import must_be_ordinary
from rotator.wiring.tickets import check_ticket

LATEST = timedelta(days=1)  # how long after our last word a block may still be a late call of ours
Json = dict[str, object]
HUMAN = 3  # the exit code
PART = 100  # names of grants in one row of the trail


@dataclass(frozen=True, slots=True)
class Case:
    """One app in the hand of a responder."""

    connections: Connections
    name: str
    org: str
    salesforce: SalesforceOrg
    consumer: Consumer
    who: Who
    run_as: str = ""  # a classic app's: no API turns its switch, so this user is frozen

    def blocked(self) -> bool:
        """Whether nobody logs in. Raises as a read does."""
        return self.salesforce.users.frozen(self.run_as) if self.run_as else self.salesforce.blocked(self.consumer)

    def set_blocked(self, blocked: bool) -> None:
        """Turns that. Raises as a write does."""
        if self.run_as:
            self.salesforce.users.freeze(self.run_as, blocked)
        else:
            self.salesforce.set_blocked(self.consumer, blocked)

    def record(self, step: str, phase: Phase, outcome: Outcome | None = None, *, error: RotatorError | None = None,
               **evidence: object) -> None:
        """A row of the trail about this app."""
        event = Event(step, phase, outcome, error=error.message if error else "", evidence=evidence,
                      http_status=error.http_status if error else None, request_id=self.salesforce.request_id)
        self.connections.trail.record(event, self.who, org=self.org, app=self.name)


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of a switch."""

    app: str
    org: str
    blocked: bool
    changed: bool
    frozen: str = ""  # the user that was frozen, or let go

    @property
    def document(self) -> Json:
        """For programs; `message` for people."""
        state = "blocked: nobody logs in" if self.blocked else "not blocked: its pair logs in"
        state += f" (user {self.frozen}, whatever the app)" if self.frozen else ""
        words = f"{self.app}: {state}" if self.changed else f"{self.app}: nothing to do, it is {state}"
        return {"ok": True, "exit": 0, **asdict(self), "message": words}


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an app's tokens: how many were ended, what is left, who and what was spared."""

    app: str
    org: str
    ended: int
    left: int
    spared: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def document(self) -> Json:
        """For programs; `message` for people. A human is needed where something is left, or could not be seen."""
        code = HUMAN if self.left or self.notes else 0
        words = f"{self.app}: {self.ended} tokens and sessions ended, {self.left} left"
        told = {**asdict(self), "spared": list(self.spared), "notes": list(self.notes)}
        return {"ok": code == 0, "exit": code, **told, "message": "; ".join([words, *self.notes])}


# --- the switch


def turn(connections: Connections, patience: Patience, name: str, who: Who, *, blocked: bool) -> Turned:
    """Turns an app's OAuth switch, or freezes a classic app's run-as user; nothing where it stands so already, but a
    row.

    Raises UsageError for an unknown app or a ticket that is none, Refused where a rotation has blocked it and is not
    done, LeaseTaken where another worker does not let go.
    """
    step = "block" if blocked else "unblock"
    case = opened(connections, name, who, step)
    with leased(case, patience):
        return Turned(name, case.org, blocked, _turned(case, step, blocked=blocked), case.run_as)


def _turned(case: Case, step: str, *, blocked: bool) -> bool:
    """Looks, turns, looks again. Gives whether anything changed."""
    if not blocked:
        _must_not_be_a_rotations(case)
    if case.blocked() is blocked:
        case.record(step, Phase.OBSERVE, Outcome.OK, was_so=True)
        return False
    case.record(step, Phase.INTENT, availability="suspended" if blocked else "in force",
                other_consumers=case.consumer.siblings, frozen_user=case.run_as)
    try:
        case.set_blocked(blocked)
    except (Refused, Unavailable) as error:
        case.record(step, Phase.OUTCOME, Outcome.REFUSED, error=error)
        raise
    except OutcomeUnknown as error:
        case.record(step, Phase.OUTCOME, Outcome.UNKNOWN, error=error)
    if case.blocked() is not blocked:
        raise OutcomeUnknown(f"the switch of {case.name} did not move, or not yet")
    case.record(step, Phase.OUTCOME, Outcome.OK)
    return True


def _must_not_be_a_rotations(case: Case) -> None:
    row = next(filter(switches.in_hand, switches.holders(case.connections, case.consumer)), None)
    if row is not None:
        no = Refused(f"the forced rotation {row.id} has blocked {row.app}, and the old pair may still live",
                     code="block_first_open", fix=f"let it finish: see `rotator status {row.app}`; where it is held:"
                     f" `rotator release {row.app}`")  # fmt: skip
        case.record("refused_command", Phase.DECISION, Outcome.REFUSED, error=no, command="unblock")
        raise no


def left_by_us(case: Case) -> bool:
    """Whether the app is blocked although no rotation wants it so, and the last word was a rotation's: a late call of
    a worker that was frozen, which cannot be fenced (protocol, block-first). A person's `block` stays, and that of a
    rotation of another consumer of the app."""
    last = switches.last_word(case.connections, case.name)
    ours = last is not None and last.rotation_id != "" and case.connections.now() - last.at <= LATEST
    return ours and open_row(case) is None and not switches.holders(case.connections, case.consumer)


def unblock_late(case: Case) -> bool:
    """Undoes such a block, under the lease. False where somebody else is at the app now: the next sweep looks again."""
    try:
        with leased(case, Patience(case.connections.clock, end=0.0)):
            return left_by_us(case) and _turned(case, "unblock", blocked=False)
    except LeaseTaken:
        return False


# --- the tokens


def revoke(connections: Connections, patience: Patience, name: str, who: Who, *, including_users: bool) -> Ended:
    """Ends what logins of this app have left behind until now; consumers log in again. The pair stays as it is.

    Raises as `turn`, and Refused where others than the run-as user hold tokens and they are not included.
    """
    case = opened(connections, name, who, "revoke")
    with leased(case, patience):
        return _revoked(case, including_users=including_users)


def _revoked(case: Case, *, including_users: bool) -> Ended:
    holders = case.salesforce.holders(case.consumer)
    run_as = case.run_as or holders.run_as or (holders.users[0] if len(holders.users) == 1 else "")
    others = [user for user in holders.users if user[:15] != run_as[:15]]
    if others and not including_users:
        raise Refused(f"{len(others)} users besides the run-as user hold tokens of {case.name}",
                      code="users_hold_tokens",
                      fix="say --including-users, or see External Client Apps OAuth Usage in Setup")  # fmt: skip
    users = [user for user in (run_as, *others) if user]
    before = case.salesforce.time()
    found = [grant for listing in _looked(case, users) for grant in listing.grants]
    doomed = [g for g in found if not g.own and (g.created is None or before is None or g.created <= before)]
    spared = tuple(f"{grant.lever}:{grant.ref}" for grant in found if grant.own)
    ended = _end(case, doomed, spared)
    after = list(_looked(case, users))
    there = {(g.lever, g.handle.reveal()) for listing in after for g in listing.grants}
    left = sum((g.lever, g.handle.reveal()) in there for g in doomed)
    notes = (*holders.notes, *(note for listing in after for note in listing.notes))
    case.record("revoke", Phase.OBSERVE, Outcome.OK if not left else Outcome.FAILED, ended=ended, left=left,
                notes=list(notes[:PART]))
    return Ended(case.name, case.org, ended, left, spared, notes if users else (*notes, "the run-as user is not known"))


def _looked(case: Case, users: Sequence[str]) -> Iterator[Listing]:
    for lever in Lever:
        for user in users:
            yield case.salesforce.grants(case.consumer, user, lever)


def _end(case: Case, doomed: Sequence[Grant], spared: Sequence[str]) -> int:
    """Writes down what will be ended, then ends it; a lever that says no is not asked again."""
    names = [f"{grant.lever}:{grant.ref}" for grant in doomed]
    for at in range(0, len(names), PART):
        phase, outcome = (Phase.INTENT, None) if at + PART >= len(names) else (Phase.DECISION, Outcome.OK)
        case.record("revoke", phase, outcome, to_end=names[at : at + PART], of=len(names), spared=list(spared[:PART]))
    ended, refused = 0, dict[Lever, str]()
    for grant in doomed:
        if grant.lever in refused:
            continue
        try:
            case.salesforce.end(case.consumer, grant)
            ended += 1
        except OutcomeUnknown:
            continue  # the look behind all of them says what is left
        except RotatorError as error:
            refused[grant.lever] = error.message
    if names:
        case.record("revoke", Phase.OUTCOME, Outcome.OK if ended else Outcome.REFUSED, ended=ended, refused=refused)
    return ended


# --- what both stand on


def opened(connections: Connections, name: str, who: Who, command: str) -> Case:
    """The app, its consumer and the responder's way there. Raises UsageError, and what reads raise."""
    check_ticket(connections, who, command)
    app = connections.app(name)
    must_be_ordinary(name, app)
    salesforce = connections.responder(app.org)
    classic = app.kind == "connected_app"
    consumer = salesforce.find_classic(app.app) if classic else salesforce.find(app.app, app.consumer)
    connections.met(app.org, consumer.org_id, who)
    run_as = _run_as(connections, name) if consumer.assisted else ""
    return Case(connections, name, app.org, salesforce, consumer, who, run_as)


def _run_as(connections: Connections, name: str) -> str:
    """As the last rotation saw. Raises Refused where none did."""
    found = run_as_by_app(connections.database).get(name, "")
    if not found:
        raise Refused(f"no API blocks {name}, a classic connected app, and the user that it runs as is not known here",
                      code="run_as_unknown", fix="Setup, Connected Apps OAuth Usage: Block and Revoke; or freeze the"
                      " user in Setup, Users")  # fmt: skip
    return found


def open_row(case: Case) -> Rotation | None:
    """The consumer's open rotation."""
    record = case.connections.ledger.read(case.consumer.org_id, case.consumer.consumer_id)
    return None if record.rotation is None or record.rotation.ended else record.rotation


@contextmanager
def leased(case: Case, patience: Patience, *, presses: bool = True) -> Iterator[Lease]:
    """The lease while inside. Whoever works at a rotation is asked to stop after the step in hand, if it `presses`.

    Raises LeaseTaken where nobody lets go within a lease.
    """
    connections, ledger, me = case.connections, case.connections.ledger, owner()
    seconds = connections.config.timing.lease.total_seconds()
    place, clock = (case.consumer.org_id, case.consumer.consumer_id), connections.clock
    end, asked = clock.monotonic() + seconds + LATE, not presses
    while (lease := ledger.claim(*place, me, seconds)) is None:
        if patience.over() or clock.monotonic() >= end:
            raise LeaseTaken(f"another worker is at {case.name}")
        row = None if asked else open_row(case)
        if row is not None:
            ledger.ask_way(row.id, case.who, seconds)
        asked = True
        clock.sleep(PRESSING)
    try:
        yield lease
    finally:
        with suppress(RotatorError):
            ledger.yield_lease(lease)


def of_sweep(connections: Connections, name: str, consumer: Consumer) -> Case:
    """The same for the sweep, which looked the consumer up already."""
    org = connections.config.apps[name].org
    return Case(connections, name, org, connections.responder(org), consumer, Who(origin="sweep"))
