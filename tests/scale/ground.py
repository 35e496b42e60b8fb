"""Where many apps are rotated by several daemons: a simulator, a PostgreSQL that may be stopped, a real Vault that may
be sealed; and what must hold in the end, by the org's own record, by Vault and by the trail."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from tests.acceptance.scene import Door, Json, simulator
from tests.daemon.fleet import Fleet
from tests.servers.postgres import OwnPostgres, libpq, own_postgres
from tests.servers.raft import VaultCluster
from tests.servers.suites import Found, find_vault
from tests.servers.vault import RealVault

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "config" / "vault-policy.hcl"


class Crowd(Fleet):
    """A fleet on PostgreSQL. With a real Vault its live paths lie there."""

    def __init__(self, door: Door, folder: Path, apps: int, url: str, *, vault: RealVault | None = None,
                 **told: str) -> None:
        """`apps`: in all, fifty of an org at most (the simulator looks at all of an org after each change)."""
        orgs = max(2, apps // 50)
        super().__init__(door, folder, apps // orgs, [f"org{number}" for number in range(orgs)], difficulty="plain")
        self.url, self.real, self.told = url, vault, told
        self.mount = "secret"
        if vault is not None:
            self._furnish(vault)
        self.configure(database=url, **told)  # type: ignore[arg-type] # names of its words

    def _furnish(self, vault: RealVault) -> None:
        """Mount, policy, login and the present pairs, in the real Vault."""
        self.mount = vault.enable_kv()
        policy = vault.write_policy(POLICY.read_text().replace("secret/", f"{self.mount}/"))
        at, role = vault.approle(policy, token_ttl="2h")
        self.vault_words = {"vault": json.dumps(vault.addresses), "role_id": role.role_id, "mount": self.mount,
                            "auth": at}  # fmt: skip
        self.secret_id(role.secret_id)
        for told in self.world["orgs"].values():
            for one in (told["admin"], *told["apps"].values()):
                pair = {name: one[name] for name in ("client_id", "client_secret")}
                vault.kv_put(self.mount, one["vault_path"], pair)

    # --- the trail, past the product

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with psycopg.connect(libpq(make_url(self.url)), autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def states(self) -> Counter[str]:
        """How many rotations stand how; none before a daemon made the tables."""
        try:
            return Counter(dict(self.ask("SELECT state, count(*) FROM rotations GROUP BY state")))
        except psycopg.errors.UndefinedTable:
            return Counter()

    def settled(self) -> bool:
        """Whether every app was rotated, and nothing but proof is open."""
        found = self.states()
        return found["done"] + found["unproven"] >= len(self.names) and set(found) <= {"done", "unproven", "abandoned"}

    # --- what must hold

    def each_once(self) -> None:
        """Each app rotated exactly once: by the trail, by the org's own record, by what Vault serves."""
        rotated = dict(self.ask("SELECT app, count(*) FROM rotations WHERE retired_at IS NOT NULL GROUP BY app"))
        assert rotated == dict.fromkeys(self.names, 1), difference(rotated, self.names)
        promoted = Counter(one["about"] for one in self.door("GET", "/history?purpose=promote") if one["effect"])
        assert set(promoted.values()) == {1}, [one for one in promoted.items() if one[1] != 1][:5]
        assert len(promoted) == len(self.names)
        self.agrees()

    def agrees(self) -> None:
        """Salesforce, Vault and the trail name one key for each app, and no slot is filled."""
        keys = dict(self.ask("SELECT DISTINCT ON (app) app, new_key FROM rotations WHERE retired_at IS NOT NULL"
                             " ORDER BY app, started_at DESC"))  # fmt: skip
        truth = self.door("GET", "/truth")
        for org, apps in self.world["orgs"].items():
            for app, one in apps["apps"].items():
                consumer = truth[org][app]["consumers"][0]
                name = f"{org}-{app}"
                live = truth[org][app]["live"]["key"] if self.real is None else self.live(one["vault_path"])
                found = (consumer["primary"]["key"], consumer["slot"], live)
                assert found == (keys[name], [], keys[name]), name

    def live(self, path: str) -> str:
        """The key that the live path of the real Vault serves."""
        assert self.real is not None
        return str(self.real.kv_get(self.mount, path)["data"]["client_id"])

    def whole(self) -> Json:
        """The trail, verified."""
        found = self.json("audit", "verify")
        assert found["ok"], found
        return found


def difference(found: Mapping[str, int], names: set[str]) -> str:
    """What is not once each, in few words."""
    return f"missing {sorted(names - set(found))[:5]}, not once {[(a, n) for a, n in found.items() if n != 1][:5]}"


@contextmanager
def ground(folder: Path, apps: int, *, vault: int = 0, **told: Any) -> Iterator[tuple[Crowd, OwnPostgres]]:
    """A crowd with a simulator, a PostgreSQL and, where asked for, a Vault of so many nodes of its own."""
    with ExitStack() as stack:
        door, server = stack.enter_context(simulator()), stack.enter_context(own_postgres())
        real = stack.enter_context(own_vault(folder, vault)) if vault else None
        yield Crowd(door, folder, apps, server.database(), vault=real, **told), server


@contextmanager
def own_vault(folder: Path, nodes: int) -> Iterator[RealVault]:
    """A Vault that may be sealed; of several nodes one may be killed."""
    found = find_vault(os.environ)
    assert isinstance(found, Found), found.why
    (folder / "vault").mkdir()
    vault = RealVault(found.place, folder / "vault", storage="raft") if nodes == 1 else (
        VaultCluster(found.place, folder / "vault", nodes))  # fmt: skip
    try:
        yield vault.start()
    finally:
        vault.stop()
