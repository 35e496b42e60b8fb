"""`adopt`: the live path takes the app's present primary pair as it is. No rotation, and no step of one.

A person asks for it and was shown what it replaces: the one exception to invariant 5, by which no pair of somebody else
is ever stored. What goes to readers is the primary pair, seen to log in a moment before. A crash at any call leaves
either the old version or the new one; the next adoption, or the next rotation, looks and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rotator.domain.errors import OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.domain.pair import Consumer, Credential, Live, Pair, Staged, Target, fingerprint
from rotator.domain.session import Probe
from rotator.domain.words import Outcome
from rotator.ports import Record
from rotator.saga.worker import Ports


@dataclass(frozen=True, slots=True)
class Place:
    """Which consumer, where its credential lies, and the real call that proves a token."""

    consumer: Consumer
    target: Target
    probe: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """What an adoption would do, seen without a secret and without a login."""

    primary: str  # key
    live: str  # the key that the live path serves; "": none
    version: int  # of the live path
    slot: tuple[Staged, ...] = ()

    @property
    def name(self) -> tuple[str, int]:
        """What a person agreed to: this pair over this version."""
        return fingerprint(self.primary), self.version


@dataclass(frozen=True, slots=True)
class Change:
    """One adoption, in the words of the trail. `user`: whom the pair logged in as."""

    old: str
    new: str
    user: str
    probe: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """What came of it. `written` false: the live path held the pair already."""

    change: Change
    version: int
    written: bool


class Book(Protocol):
    """The ledger as an adoption sees it, under its lease. Each method is one transaction; raises Stale, and
    LedgerUnavailable where nothing was committed or a repeat is safe."""

    def read(self) -> Record:
        """What is known of the consumer."""

    def intent(self, change: Change, cas: int) -> None:
        """Committed before the write; keeps its check-and-set, so that a late one can be fenced."""

    def outcome(self, change: Change, outcome: Outcome, *, version: int | None = None,
                error: RotatorError | None = None) -> None:
        """Closes the intent."""

    def observe(self, change: Change, version: int) -> None:
        """The live path held the pair already: recorded all the same, for the sweep reads it."""


def sketch(ports: Ports, place: Place) -> Sketch:
    """Looks. Raises what the ports raise for reads."""
    primary = ports.salesforce.primary(place.consumer).key
    live = ports.vault.live(place.target)
    return Sketch(primary, live.key, live.number, ports.salesforce.slot(place.consumer))


def adopt(ports: Ports, book: Book, place: Place, agreed: tuple[str, int]) -> Adopted:
    """Writes the primary pair to the live path, unless it stands there; proves it before, reads it back after.

    `agreed`: the `name` of the sketch that was shown. Raises Refused where the world is another by now, the pair does
    not log in or its secret cannot be had; OutcomeUnknown where no clear answer came: run it again.
    """
    live = ports.vault.live(place.target)
    seen = Sketch(ports.salesforce.primary(place.consumer).key, live.key, live.number)
    if seen.name != agreed:
        raise Refused("the primary pair or the live path is another than was shown: nothing was done", code="changed",
                      fix="see who else is at the app, then run it again")  # fmt: skip
    ports.vault.preflight(place.target)
    pair = _whole(ports, place, seen.primary, live)
    change = Change(live.key, pair.key, _proven(ports, place, pair), place.probe)
    late = book.read().publish_cas == live.number  # a write that names this version could still land
    if live.credential is not None and live.credential.pair == pair and not late:
        book.observe(change, live.number)
        return Adopted(change, live.number, written=False)
    version = _written(ports, book, place, change, pair, live)
    _still_primary(ports, book, place, change, version)
    book.outcome(change, Outcome.OK, version=version)
    return Adopted(change, version, written=True)


def _whole(ports: Ports, place: Place, key: str, live: Live) -> Pair:
    """The primary pair with its secret: from Salesforce, else from a version of the live path."""
    told = ports.salesforce.primary(place.consumer, with_secret=True)
    if told.key == key and told.secret is not None:
        return told
    if live.credential is not None and live.key == key:
        return live.credential.pair
    for number in reversed(ports.vault.versions_holding(place.target, [key], live.number)):
        held = ports.vault.live_version(place.target, number)
        if held is not None and held.pair.key == key:
            return held.pair
    raise Refused("neither Salesforce nor Vault gives the secret of the primary pair", code="primary_secret_unreadable",
                  fix="Setup, External Client App Settings: \"Allow access to External Client App consumer secrets via"
                  " REST API\"; the permission View Client Secret")  # fmt: skip


def _proven(ports: Ports, place: Place, pair: Pair) -> str:
    """A login and a real call with the pair; gives the run-as user."""
    ports.logins.ask(place.consumer, forced=False)
    login = ports.salesforce.login(pair)
    if not login.accepted or login.token is None:
        raise Refused("Salesforce does not accept the app's own primary pair", code="primary_refused",
                      fix="rotated just now? wait a quarter of an hour; else see whether the app is blocked, by"
                      " `rotator check`, APP-5 and APP-6")  # fmt: skip
    ports.logins.belongs(place.consumer, login.user_id)
    if login.org_id[:15] != place.consumer.org_id[:15]:
        raise Refused(f"the primary pair logs in to org {login.org_id}, not to {place.consumer.org_id}",
                      code="wrong_identity", fix="see `host` and `org_id` of the org in the configuration")
    if place.probe != "none" and ports.salesforce.probe(login.token, place.probe) is not Probe.ALIVE:
        raise Refused("the primary pair logs in, but its token does not work", code="primary_refused",
                      fix="see the app's session policies, by `rotator check`, APP-7 and APP-8")
    return login.user_id


def _written(ports: Ports, book: Book, place: Place, change: Change, pair: Pair, live: Live) -> int:
    """Writes with check-and-set and reads back; fields that are not ours are kept. Gives the version."""
    kept = live.credential
    credential = kept if kept is not None and kept.pair == pair else Credential(pair, "", kept.other if kept else {})
    book.intent(change, live.number)
    lost: OutcomeUnknown | None = None
    try:
        ports.vault.write_live(place.target, credential, live.number)
    except (Refused, Unavailable) as error:
        book.outcome(change, Outcome.REFUSED, error=error)
        raise
    except OutcomeUnknown as error:
        lost = error
    found = ports.vault.live(place.target)
    if found.credential is not None and found.credential.pair == pair and found.number > live.number:
        return found.number
    if lost is not None:  # it may land yet: the intent stays open, and whoever comes next looks
        raise lost
    over = Refused("the live path was written over by somebody else at the same moment", code="not_read_back",
                   fix=f"see who else writes {place.target.path}; then run it again")
    book.outcome(change, Outcome.FAILED, version=found.number, error=over)
    raise over


def _still_primary(ports: Ports, book: Book, place: Place, change: Change, version: int) -> None:
    """Nobody rotated while we wrote."""
    if ports.salesforce.primary(place.consumer).key == change.new:
        return
    error = Refused("somebody rotated the app at the same moment: the live path holds the pair before", code="changed",
                    fix="run it again at once")
    book.outcome(change, Outcome.FAILED, version=version, error=error)
    raise error
