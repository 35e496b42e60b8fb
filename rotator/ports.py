"""What the saga needs of the world: Salesforce, Vault, the ledger, the clock.

Every method is one call across the process boundary unless its docstring says otherwise, so that a fault can be
played at each. Every implementation passes the suites of tests/contract. Errors (rotator.domain.errors):

- a read raises `Unavailable` (try later), `Refused` (a clear no; `NotFound` only for a 404), or `Unintelligible`;
- a write raises `Refused` or `Unavailable` where it is certain that nothing changed, else `OutcomeUnknown`;
- nothing else leaves a port.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rotator.domain.changes import Changes
from rotator.domain.event import Event
from rotator.domain.facts import Facts
from rotator.domain.pair import Consumer, Credential, Escrow, EscrowContent, Live, Pair, Staged, Target
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Holders, Lever, Listing, Login, Probe
from rotator.domain.sight import Kind, Sight
from rotator.domain.words import Trigger, Word


class Salesforce(Protocol):
    """One org, seen with the rotator's own identities (which log in by themselves, once more after a 401): `admin` for
    credentials, `responder` for sessions and metadata where there is one."""

    def find(self, app: str, consumer: str) -> Consumer:
        """Resolves an app (developer name or 0xI id) and its consumer ("" where it has just one). Several calls.

        Raises ConfigError where the app is not found exactly once, or has several consumers and none is named.
        """

    def primary(self, consumer: Consumer, *, with_secret: bool = False) -> Pair:
        """The main pair; its secret only when asked for, and then None where the org does not give it."""

    def slot(self, consumer: Consumer) -> tuple[Staged, ...]:
        """What stands in the staged slot; only a 404 or an empty list means none (invariant 7)."""

    def stage(self, consumer: Consumer) -> Staged:
        """POST staged. The answer's secret may be missing. Raises SlotTaken where the slot is full."""

    def promote(self, consumer: Consumer, staged_id: str) -> None:
        """PATCH rotate: the staged pair becomes primary, the old primary takes the slot as Rotated."""

    def delete(self, consumer: Consumer, staged_id: str) -> None:
        """DELETE of a staged entry. A 404 is success: it is gone."""

    def login(self, pair: Pair) -> Login:
        """A token request with this pair (needs its secret). Only invalid-client counts as not accepted;
        every other refusal raises Refused with its cause."""

    def probe(self, token: Secret, kind: str) -> Probe:
        """One real call with the token: `limits` or `userinfo`. A 403 raises Refused: the token is not dead."""

    def grants(self, consumer: Consumer, user_id: str, lever: Lever) -> Listing:
        """What logins of this app and user left behind, as one lever knows it. One or more reads; what the org does
        not let us look through is `blind`, not an error."""

    def holders(self, consumer: Consumer) -> Holders:
        """The users who hold tokens of the app, as far as the listings of tokens show them. Several reads."""

    def sight(self, consumer: Consumer, user_id: str, kind: Kind, since: datetime) -> Sight:
        """What the org shows of one kind, as evidence: without secrets, at most `MOST_ROWS` rows. One or more reads;
        what the org does not let us look through is `blind`, not an error."""

    def end(self, consumer: Consumer, grant: Grant) -> None:
        """Ends one grant by its lever. Already gone is success."""

    def blocked(self, consumer: Consumer) -> bool:
        """Whether the OAuth switch of the consumer's app is off: then no pair of the app is accepted. Several reads."""

    def set_blocked(self, consumer: Consumer, blocked: bool) -> None:
        """Turns that switch, of all the app's consumers; nothing where it stands so already. Reads, then a write."""

    def time(self) -> datetime | None:
        """The org's clock as its last answer gave it, moved on by the time since; None if none did. No call."""

    @property
    def request_id(self) -> str:
        """The id that the far side gave our last call; "" if none. No call."""


class Vault(Protocol):
    """The Vault KV v2 mount. Logs in by itself, once more after a 403."""

    def preflight(self, target: Target) -> None:
        """Before the first change: the mount is KV v2, the live path's settings cannot lose a version, and the
        token lives long enough. Raises ConfigError or Refused with the command that mends it. Several reads."""

    def live(self, target: Target) -> Live:
        """The newest version of the live path. Raises ConfigError where it is there without the two fields."""

    def live_version(self, target: Target, number: int) -> Credential | None:
        """An earlier version; None where it is deleted, destroyed or gone."""

    def versions_holding(self, target: Target, keys: Sequence[str], below: int) -> tuple[int, ...]:
        """The readable versions older than `below` whose pair's key is one of `keys`. Several reads."""

    def write_live(self, target: Target, credential: Credential | None, cas: int) -> int:
        """Writes the whole credential with check-and-set; None writes an empty version (our fence of an absent
        path). Gives the new version's number. Raises CasMismatch."""

    def destroy_live(self, target: Target, versions: Sequence[int]) -> None:
        """Destroys these versions of the live path for good."""

    def escrow(self, target: Target) -> Escrow:
        """The newest version of the escrow path."""

    def write_escrow(self, target: Target, content: EscrowContent, cas: int) -> int:
        """Writes the escrow with check-and-set; gives the new version's number. Raises CasMismatch."""

    def destroy_escrow(self, target: Target, upto: int) -> None:
        """Destroys every version up to this number, and keeps the metadata."""

    @property
    def request_id(self) -> str:
        """The id that Vault gave our last call; "" if none. No call."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act on one consumer, whatever the app is called in the configuration (invariant 8)."""

    org_id: str
    consumer_id: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger knows of a consumer, read in one transaction."""

    rotation: Rotation | None  # the open one, else the last
    unknown: tuple[str, ...]  # steps whose intent has no outcome, of any rotation
    publish_cas: int  # the check-and-set of the latest intent to write the live path, of any rotation; -1: none
    escrow_cas: int  # the same for the escrow path
    facts: Facts  # what was seen of the org
    now: datetime  # the database's clock


@dataclass(frozen=True, slots=True)
class Opening:
    """A rotation to be opened: what the request, the configuration and the first look said."""

    app: str
    org: str
    consumer: Consumer
    target: Target
    policy: Policy
    who: Who
    trigger: Trigger
    old_keys: tuple[str, ...]
    old_version: int


class Ledger(Protocol):
    """The database: rows, trail and leases. Each method is one transaction.

    Raises LedgerUnavailable (nothing was committed, or a repeat of the same call is safe), and Stale where the
    lease has gone to another owner.
    """

    def claim(self, org_id: str, consumer_id: str, owner: str, seconds: float, *, seize: bool = False) -> Lease | None:
        """Takes the lease if it is free, expired, or our own; a new epoch each time. None: somebody else has it.
        `seize` (a force only): takes it whoever has it, who is stale from then on."""

    def extend(self, lease: Lease, seconds: float) -> None:
        """Heartbeat. Raises Stale."""

    def yield_lease(self, lease: Lease) -> None:
        """Gives the lease back; nothing where it is not ours any more."""

    def open(self, lease: Lease, opening: Opening) -> Rotation:
        """Opens a rotation, with a decision row. Where one is open: gives that one back, unless this is a force,
        which ends it as `abandoned: superseded` and takes over what it knew (model: open_rotation)."""

    def read(self, org_id: str, consumer_id: str) -> Record:
        """What is known of this consumer."""

    def commit(
        self,
        lease: Lease,
        seen: Rotation,
        event: Event,
        changes: Changes,
        *,
        publish_cas: int | None = None,
        escrow_cas: int | None = None,
        learned: Mapping[str, str] | None = None,
    ) -> Rotation:
        """One transaction: the audit row (chained) and the row's changes. An intent becomes open; an outcome
        closes all open intents of the consumer. Extends the lease. Gives the new row.

        Raises Stale where the epoch is not the lease's, Superseded where the consumer's rotation is another by now
        or (for an intent) its goal is no longer the one seen.
        """

    def ask_abandon(self, rotation_id: str, who: Who, *, now: bool = False) -> Rotation:
        """An operator's abandon, without the lease: one conditional update that excludes a promote intent
        (protocol: Abandon). Raises Refused where it is too late or not open; asking twice changes nothing."""

    def ask_way(self, rotation_id: str, who: Who, seconds: float) -> Rotation:
        """A force asks whoever works at this rotation to stop after the step in hand: nobody goes on with it for so
        long. Without the lease; nothing where it has ended."""

    def release(self, rotation_id: str, who: Who, *, discard_foreign: str = "") -> Rotation:
        """Lets a held rotation go on: running, released, its counters of failures at zero. Raises Refused where it
        is not held."""

    def say(self, rotation_id: str, who: Who, word: Word, key_fp: str = "") -> Rotation:
        """A person's word to an assisted rotation, which goes on although it is held; `key_fp` names the pair that is
        handed over. Raises Refused where the word does not fit (saga.requests.said)."""

    def rotations(self, *, open_only: bool = True, app: str = "") -> tuple[Rotation, ...]:
        """The open rotations, or all of an app, oldest first."""


class Logins(Protocol):
    """The login budget: Salesforce blocks a user who logs in too often (reference section 7)."""

    def ask(self, consumer: Consumer, *, forced: bool) -> None:
        """Before a token request with a pair of this consumer, which it counts. Raises Unavailable where the budget
        of its run-as user is used up, unless the rotation is forced."""

    def belongs(self, consumer: Consumer, user: str) -> None:
        """A login told the run-as user of this consumer."""


class Clock(Protocol):
    """Time for the short waits inside one step; deadlines that must survive a crash use the ledger's clock."""

    def monotonic(self) -> float:
        """Seconds; only differences mean anything."""

    def sleep(self, seconds: float) -> None:
        """Waits; at most a few seconds, and a stop request ends it early."""

    def jitter(self) -> float:
        """A random number in [0, 1): spreads retries."""
