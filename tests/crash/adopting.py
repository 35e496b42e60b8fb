"""Salesforce, Vault and ledger before an adoption, with a plan: what goes wrong at which call. The ledger is the real
one, on SQLite; the far sides are as small as an adoption needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from rotator.adapters.sql.adoptions import Adoptions
from rotator.adapters.sql.audit import history
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.domain.errors import CasMismatch, OutcomeUnknown, Unavailable
from rotator.domain.pair import Consumer, Credential, Live, Pair, Staged, Target
from rotator.domain.rotation import Who
from rotator.domain.secret import Secret
from rotator.domain.session import Login, Probe
from rotator.domain.words import Outcome
from rotator.ports import Lease, Record
from rotator.saga.adopt import Adopted, Change, Place, adopt, sketch
from rotator.saga.worker import Ports
from tests.contract.ledger_ports import CONTEXT, RealClock
from tests.model.calls import Crash

OURS, THEIRS = Pair("key-ours", Secret("secret-ours")), Pair("key-theirs", Secret("secret-theirs"))
USER, ORG = "005EX0000000003AAA", "00DEX0000000001AAA"
OTHER = {"owner": "team-a"}
WHO = Who("alice", "cli", "drift")
FAULTS = ("crash-before", "crash-after", "down", "lost-before", "lost-after", "late")


@dataclass
class Line:
    """Counts the calls of all parts, and plays the one fault of the plan. `acts`: what a stranger does right before."""

    at: int = 0  # 0: none
    fault: str = ""
    calls: int = 0
    late: list[Callable[[], object]] = field(default_factory=list)  # on their way
    acts: dict[int, Callable[[], None]] = field(default_factory=dict)

    def call(self, effect: Callable[[], Any], *, writes: bool = False) -> Any:
        self.calls += 1
        self.acts.get(self.calls, lambda: None)()
        fault = self.fault if self.calls == self.at else ""
        if fault == "crash-before":
            raise Crash
        if fault == "down" or (fault in ("lost-before", "lost-after", "late") and not writes):
            raise Unavailable("no answer")
        if fault == "late":
            self.late.append(effect)
        if fault in ("late", "lost-before"):
            raise OutcomeUnknown("no clear answer")
        found = effect()
        if fault == "crash-after":
            raise Crash
        if fault == "lost-after":
            raise OutcomeUnknown("no clear answer")
        return found


class Org:
    """One consumer, whose primary pair somebody else has put there."""

    request_id = ""

    def __init__(self, line: Line, *, readable: bool = True) -> None:
        self.line, self.readable = line, readable
        self.pair, self.accepts = THEIRS, True

    def rotated(self) -> None:
        """Once more somebody rotates."""
        self.pair = Pair("key-third", Secret("secret-third"))

    def primary(self, consumer: Consumer, *, with_secret: bool = False) -> Pair:
        whole = with_secret and self.readable
        return cast("Pair", self.line.call(lambda: self.pair if whole else Pair(self.pair.key)))

    def slot(self, consumer: Consumer) -> tuple[Staged, ...]:
        return cast("tuple[Staged, ...]", self.line.call(lambda: ()))

    def login(self, pair: Pair) -> Login:
        good = self.accepts and pair == self.pair
        return cast("Login", self.line.call(lambda: Login(good, Secret("token") if good else None, ORG, USER)))

    def probe(self, token: Secret, kind: str) -> Probe:
        return cast("Probe", self.line.call(lambda: Probe.ALIVE))


class Kv:
    """The live path. `seen`: the keys that its readers ever got; `intended`: asked before every write takes effect."""

    request_id = ""

    def __init__(self, line: Line, intended: Callable[[int], bool]) -> None:
        self.line, self.intended = line, intended
        self.versions = [Credential(OURS, "r1", OTHER)]
        self.seen = {OURS.key}

    @property
    def now(self) -> Live:
        return Live(len(self.versions), self.versions[-1])

    def preflight(self, target: Target) -> None:
        self.line.call(lambda: None)

    def live(self, target: Target) -> Live:
        return cast("Live", self.line.call(lambda: self.now))

    def live_version(self, target: Target, number: int) -> Credential | None:
        return cast("Credential", self.line.call(lambda: self.versions[number - 1]))

    def versions_holding(self, target: Target, keys: Sequence[str], below: int) -> tuple[int, ...]:
        held = [n for n, one in enumerate(self.versions, 1) if n < below and one.pair.key in keys]
        return cast("tuple[int, ...]", self.line.call(lambda: tuple(held)))

    def write_live(self, target: Target, credential: Credential, cas: int) -> int:
        return cast("int", self.line.call(lambda: self.put(credential, cas), writes=True))

    def put(self, credential: Credential, cas: int) -> int:
        assert self.intended(cas), "a change without a durable intent (13)"
        if cas != len(self.versions):
            raise CasMismatch("check-and-set")
        self.versions.append(credential)
        self.seen.add(credential.pair.key)
        return len(self.versions)


class Book:
    """The real book, each of its transactions a call that may fail."""

    def __init__(self, line: Line, real: Adoptions) -> None:
        self.line, self.real = line, real

    def read(self) -> Record:
        return cast("Record", self.line.call(self.real.read))

    def intent(self, change: Change, cas: int) -> None:
        self.line.call(lambda: self.real.intent(change, cas))

    def outcome(self, change: Change, outcome: Outcome, **more: Any) -> None:
        self.line.call(lambda: self.real.outcome(change, outcome, **more))

    def observe(self, change: Change, version: int) -> None:
        self.line.call(lambda: self.real.observe(change, version))


class World:
    """One app of its own in the database, drifted: the org has their pair, Vault ours."""

    def __init__(self, database: Database, number: int, at: int = 0, fault: str = "", *, readable: bool = True) -> None:
        self.database, self.app = database, f"app{number}"
        self.consumer = Consumer(ORG, "0xIEX00000000014AA", f"888EX00000{number:05}AAA", "App", "App")
        self.target = Target(f"salesforce/{self.app}", "client_id", "client_secret", "https://acme", self.app)
        self.place = Place(self.consumer, self.target, "limits")
        self.line = Line(at, fault)
        self.org, self.kv = Org(self.line, readable=readable), Kv(self.line, self.intended)
        self.ledger = SqlLedger(database, CONTEXT)
        self.ports = Ports(cast("Any", self.org), cast("Any", self.kv), self.ledger, RealClock())

    def rows(self) -> list[Mapping[str, Any]]:
        """The app's trail."""
        return list(history(self.database, self.app))

    def intended(self, cas: int) -> bool:
        """Whether an intent of this check-and-set stands in the trail."""
        return any(row["phase"] == "intent" and row["evidence"]["publish_cas"] == cas for row in self.rows())

    def lease(self) -> Lease:
        """The lease, from whoever died with it."""
        found = self.ledger.claim(ORG, self.consumer.consumer_id, "worker", 30, seize=True)
        assert found is not None
        return found

    def adopt(self) -> Adopted:
        """One process: shown, agreed, done."""
        agreed = sketch(self.ports, self.place).name
        lease = self.lease()
        book = Book(self.line, Adoptions(self.ledger, lease, WHO, self.app, "acme", self.target))
        done = adopt(self.ports, book, self.place, agreed)
        self.ledger.yield_lease(lease)
        return done
