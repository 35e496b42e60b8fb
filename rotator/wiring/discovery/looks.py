"""What is looked at of one app: its consumers, their keys and slots, and whether a managed one drifted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rotator.adapters.sql.sweeps import Sweeps
from rotator.checks import sweep
from rotator.domain.errors import ConfigError, RotatorError
from rotator.domain.inventory import AppKind, Known, Owner
from rotator.domain.pair import Consumer, Staged
from rotator.wiring.connections import Connections
from rotator.wiring.scenes import own_keys
from rotator.wiring.settings import target_of

CALLS = 2  # to the org for an app with one consumer; a managed one takes another two
SHARE = 10  # all looks together take one in ten of the daily API requests that the org has left
OWN = "the rotator itself logs in with it"


@dataclass(frozen=True, slots=True)
class Unseen:
    """What could not be looked through, and what would mend it. `apps`: of how many; None: of all."""

    what: str
    message: str
    fix: str
    apps: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One consumer of an app. `slot` None: not looked at; `drift`: in words how it differs from what we left."""

    consumer: Consumer | None = None
    key: str = ""
    slot: tuple[Staged, ...] | None = None
    managed_as: str = ""
    drift: str = ""
    notes: tuple[str, ...] = ()


class Looks:
    """The looks at the apps of one org; threads may share it. What an app's look cannot see is counted, and is no error
    of the whole."""

    def __init__(self, connections: Connections, org: str) -> None:
        self._connections, self._org = connections, org
        self._client = connections.org(org)
        self._ports = connections.ports(org)
        self._sweeps = Sweeps(connections.database, connections.context)
        self._lock = threading.Lock()
        self._blind: Counter[tuple[str, str, str]] = Counter()

    def at(self, known: Known, claims: Sequence[str]) -> tuple[Seen, ...]:
        """The consumers of an app. `claims`: what the configuration calls it."""
        if known.kind is not AppKind.EXTERNAL or not known.app_id or (known.owner is Owner.VENDOR and not claims):
            return (Seen(),)
        try:
            found = self._client.consumers(known.app_id, known.name, known.label)
            return tuple(self._one(consumer, key, claims) for consumer, key in found)
        except ConfigError as error:  # it has no OAuth, and so no pair
            return (Seen(notes=(error.message,)),)
        except RotatorError as error:
            self._note("credentials", error)
            return (Seen(notes=("its pair could not be looked at",)),)

    def none_at(self) -> tuple[Seen, ...]:
        """In place of a look for which the org has too few API requests left."""
        self._count("API requests", f"apps were not looked at: all looks take one in {SHARE} of those left",
                    "run it again tomorrow, or raise the org's daily API requests")
        return (Seen(notes=("not looked at",)),)

    def allowance(self) -> int:
        """How many apps may be looked at; none where the org does not tell."""
        try:
            limits = self._client.limits()
        except RotatorError as error:
            self._note("limits", error)
            return 0
        left = limits.get("DailyApiRequests", (0, 0))[1]
        return left // SHARE // CALLS

    def unseen(self) -> Iterator[Unseen]:
        """What could not be seen, each cause once."""
        for (what, message, fix), count in self._blind.items():
            yield Unseen(what, message, fix, count)

    def _one(self, consumer: Consumer, key: str, claims: Sequence[str]) -> Seen:
        key = key or self._client.primary(consumer).key
        slot = self._slot(consumer)
        name = next((one for one in claims if self._means(one, consumer)), "")
        drift, note = self._drift(name, consumer) if name else ("", "")
        notes = (OWN if key in self._own_keys else "", note)
        return Seen(consumer, key, slot, name, drift, tuple(filter(None, notes)))

    def _slot(self, consumer: Consumer) -> tuple[Staged, ...] | None:
        try:
            return self._client.slot(consumer)
        except RotatorError as error:
            self._note("slot", error)
            return None

    def _means(self, name: str, consumer: Consumer) -> bool:
        wanted = self._connections.config.apps[name].consumer
        return consumer.consumer_id[:15] == wanted[:15] if wanted else consumer.siblings == 0

    def _drift(self, name: str, consumer: Consumer) -> tuple[str, str]:
        """How org, live path and our record differ; and what else is to be said."""
        last, past = self._sweeps.past(name)
        if last is not None and not last.ended:
            return "", f"its rotation {last.id} is open"
        config = self._connections.config
        target = target_of(name, config.apps[name], config.orgs[self._org].host)
        scene = sweep.Scene(name, consumer, target, past, self._ports.salesforce, self._ports.vault)
        try:
            found = sweep.drift(scene)
        except RotatorError as error:
            self._note("Vault", error)
            return "", "could not be compared with its live path"
        return (found[1], "") if found else ("", "")

    @cached_property
    def _own_keys(self) -> frozenset[str]:
        try:
            return own_keys(self._connections, self._org)
        except RotatorError as error:
            self._note("the rotator's own key", error)
            return frozenset()

    def _note(self, what: str, error: RotatorError) -> None:
        self._count(what, error.message, error.fix)

    def _count(self, what: str, message: str, fix: str) -> None:
        with self._lock:
            self._blind[what, message, fix] += 1
