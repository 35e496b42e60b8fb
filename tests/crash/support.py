"""One rotation through the real adapters against a simulator, on clocks that move without waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx

from rotator.adapters.http import Http
from rotator.adapters.salesforce import ClientCredentials, SalesforceOrg
from rotator.adapters.sql import audit, schema
from rotator.adapters.sql.audit import Context
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.verify import verify
from rotator.adapters.tls import tls_context
from rotator.adapters.vault import AppRoleAuth, VaultClient, VaultKv, VaultOptions
from rotator.domain.changes import Changes
from rotator.domain.event import Event
from rotator.domain.pair import Target
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.secret import Secret
from rotator.domain.timing import Timing
from rotator.domain.words import Phase, State, Trigger
from rotator.ports import Lease
from rotator.saga.opening import open_rotation
from rotator.saga.worker import Ports
from rotator.simulator import Running
from rotator.wiring.connections import StatedLedger
from rotator.wiring.errand import Errand, Patience, Setting, Until, Way, attend

OVERLAP = timedelta(minutes=10)  # shorter than a session lives: the canary must be ended, it does not end by itself
FAR = timedelta(days=2)  # one look at most between two waits
ACCEPTING = {"staged_pair_accepted": "yes", "rotated_pair_accepted": "yes"}
RESTING = (State.HELD, State.UNPROVEN)
CONTEXT = Context("host-1", "0.1.0", "c0ffee")
WHO = Who("alice", "cli")
MOST_PROCESSES = 40
TLS = tls_context()


class Door:
    """The admin door of a simulator."""

    def __init__(self, admin_url: str) -> None:
        self.client = httpx.Client(base_url=admin_url, trust_env=False, timeout=30)

    def get(self, path: str, **params: str) -> Any:
        return self.client.get(path, params=params).raise_for_status().json()

    def post(self, path: str, body: object) -> Any:
        return self.client.post(path, json=body).raise_for_status().json()

    def patch(self, path: str, body: object) -> Any:
        return self.client.patch(path, json=body).raise_for_status().json()

    def delete(self, path: str) -> Any:
        return self.client.delete(path).raise_for_status().json()

    def close(self) -> None:
        self.client.close()


class Still:
    """A clock for what never waits."""

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing should have to wait")

    def jitter(self) -> float:
        return 0.5


def filled(url: str) -> None:
    """A migrated, empty database."""
    database = Database(url, clock=Still())
    schema.prepare(database)
    database.close()


class MovedTime:
    """A clock that stands still until somebody sleeps; the simulator's stands and moves with it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._at = datetime.fromtimestamp(door.post("/clock", {"freeze": True})["now"], UTC)

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._at.timestamp()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._at += timedelta(seconds=seconds)
            self._door.post("/clock", {"advance": seconds})

    def jitter(self) -> float:
        return 0.5


@dataclass(frozen=True)
class Committed:
    """A row of the trail, and the number of the last request that had arrived when its commit had returned."""

    step: str
    phase: Phase
    request: int


def last_request(sim: Running) -> int:
    """The number of the last request that arrived. A question at the door for each commit would double the run."""
    return sim._hub.gate.history.last


class NotedLedger(StatedLedger):
    """The real ledger; notes when each commit had returned."""

    def __init__(self, database: Database, stated: Mapping[str, str], notes: list[Committed], sim: Running) -> None:
        super().__init__(database, CONTEXT, stated)
        self._notes, self._sim = notes, sim

    def commit(self, lease: Lease, seen: Rotation, event: Event, changes: Changes, **more: Any) -> Rotation:
        row = super().commit(lease, seen, event, changes, **more)
        self._notes.append(Committed(event.step, event.phase, last_request(self._sim)))
        return row


@dataclass
class Site:
    """A fresh world in the simulator, and a database: what came of a rotation of billing there."""

    sim: Running
    door: Door
    url: str
    world: dict[str, Any]

    @property
    def billing(self) -> dict[str, Any]:
        found: dict[str, Any] = self.world["orgs"]["acme"]["apps"]["billing"]
        return found

    @property
    def target(self) -> Target:
        return Target(self.billing["vault_path"], "client_id", "client_secret", self.sim.org_url, "billing")

    @contextmanager
    def database(self) -> Iterator[Database]:
        database = Database(self.url, clock=Still())
        try:
            yield database
        finally:
            database.close()

    def rotation(self) -> Rotation:
        """The last rotation."""
        with self.database() as database:
            return SqlLedger(database, CONTEXT).rotations(open_only=False)[-1]

    def open_intents(self) -> list[str]:
        """The steps whose intent has no outcome, as the consumer's row has them."""
        one = self.rotation().consumer
        with self.database() as database:
            return list(SqlLedger(database, CONTEXT).read(one.org_id, one.consumer_id).unknown)

    def begun(self) -> bool:
        """Whether there is a rotation."""
        with self.database() as database:
            return bool(SqlLedger(database, CONTEXT).rotations(open_only=False))

    def trail(self) -> list[dict[str, Any]]:
        with self.database() as database:
            assert verify(database).ok, "the chain is broken"
            return list(audit.history(database))

    def vault_root(self, method: str, path: str) -> Any:
        """The data that root gets from the Vault below its mount; None for a 404."""
        told = self.world["vault"]
        headers = {"X-Vault-Token": told["root_token"]}
        url = f"{self.sim.vault_url}/v1/{told['mount']}/{path}"
        answer = self.door.client.request(method, url, headers=headers)
        return answer.json().get("data") if answer.content else None

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.door.get("/history")
        return found


@dataclass
class Scene(Site):
    """A site with a rotator in this process, on moved time."""

    time: MovedTime
    stated: Mapping[str, str]
    deadline: float = 10.0
    overlap: timedelta = OVERLAP
    notes: list[Committed] = field(default_factory=list)

    # --- one process -------------------------------------------------------------------
    @contextmanager
    def process(self) -> Iterator[tuple[Ports, Setting]]:
        """The ports of one process, and what its errand needs."""
        database = Database(self.url, clock=self.time, now=self.time.now)
        client = self.client()
        http = Http(self.sim.org_url, tls=TLS, deadline=self.deadline)
        org = SalesforceOrg(http, credentials=partial(own_login, client), now=self.time.now,
                            monotonic=self.time.monotonic)  # fmt: skip
        ledger = NotedLedger(database, self.stated, self.notes, self.sim)
        patience = Patience(self.time, end=self.time.monotonic() + timedelta(days=5).total_seconds())
        try:
            yield Ports(org, self.kv(client), ledger, self.time), Setting(Timing(), FAR, "worker", patience)
        finally:
            http.close()
            client.close()
            database.close()

    def kv(self, client: VaultClient) -> VaultKv:
        return VaultKv(client, now=self.time.now)

    def client(self) -> VaultClient:
        """The simulator's own Vault, over its AppRole login."""
        told = self.world["vault"]
        auth = AppRoleAuth(told["role_id"], lambda: Secret(told["secret_id"]))
        options = VaultOptions((self.sim.vault_url,), auth, mount=told["mount"], insecure=True, deadline=self.deadline)
        http = Http(self.sim.vault_url, tls=TLS, deadline=self.deadline)
        return VaultClient(options, monotonic=self.time.monotonic, https=[http])

    def run(self) -> Errand:
        """One process: `rotate billing --until done`."""
        with self.process() as (ports, setting):

            def find() -> Way:
                found = ports.ledger.rotations(open_only=True)
                if found:
                    return Way(ports, found[-1].consumer, row=found[-1])
                consumer = ports.salesforce.find(self.billing["developer_name"], "")
                begin = partial(
                    open_rotation, ports, app="billing", org="acme", consumer=consumer, target=self.target,
                    policy=Policy(overlap=self.overlap), who=WHO, trigger=Trigger.MANUAL,
                )  # fmt: skip
                return Way(ports, consumer, begin)

            errand = Errand(setting, "billing", Until.DONE, find)
            attend([errand], setting)
            return errand

    def run_to_rest(self) -> Rotation:
        """Starts processes, as systemd would, until the rotation has ended or needs a human."""
        errors: list[str] = []
        for _ in range(MOST_PROCESSES):
            errand = self.run()
            if errand.row is not None and (errand.row.ended or errand.row.state in RESTING):
                return errand.row
            errors.append(f"{errand.row.state if errand.row else ''} {errand.error!r}")
            self.time.sleep(60)
        raise AssertionError(f"it does not end: {errors[-3:]}")

    def release(self, row: Rotation) -> None:
        """A human mends what the message names and lets it go on."""
        database = Database(self.url, clock=self.time, now=self.time.now)
        SqlLedger(database, CONTEXT).release(row.id, WHO)
        database.close()


def own_login(client: VaultClient) -> ClientCredentials:
    """The rotator's own pair, from Vault."""
    fields = client.read_fields("salesforce/acme/rotator")
    return ClientCredentials(fields["client_id"].reveal(), fields["client_secret"])


FRESH: dict[str, Any] = {"seed": 1, "difficulty": "difficult", "facts": {}, "shapes": {}, "apps": 1,
                         "overlap_s": OVERLAP.total_seconds(), "strict_host": False}  # fmt: skip


def scene(sim: Running, door: Door, url: str, *, stated: Mapping[str, str] = ACCEPTING, deadline: float = 10.0,
          overlap: timedelta = OVERLAP, **options: Any) -> Scene:
    """A fresh world and an empty, migrated database at `url`."""
    world = door.post("/reset", {**FRESH, **options})
    return Scene(sim, door, url, world, MovedTime(door), stated, deadline, overlap)
