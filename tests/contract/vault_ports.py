"""The implementations of ports.Vault that the contract suite runs over.

A world gives the port, and a foreign hand that acts on the same Vault without the rotator. To add an implementation,
put its maker into WORLDS, or into PORTS where it has no such hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import pytest

from rotator import ports
from rotator.adapters.vault import TokenAuth, VaultClient, VaultKv, VaultOptions
from rotator.domain.pair import Consumer, Credential, Pair, Target
from rotator.domain.rotation import Rotation
from rotator.domain.secret import Secret
from rotator.simulator import Running
from tests.model import world as model
from tests.model.ports import MemoryVault
from tests.servers.vault import RealVault

TARGET = Target("salesforce/acme/billing", "client_id", "client_secret", "https://acme.my.salesforce.com", "billing")
OLD = Pair("3MVG9.old", Secret("OldSecret-4711"))
NEW = Pair("3MVG9.new", Secret("NewSecret-0815"))


def credential(pair: Pair, rotation_id: str = "", **other: object) -> Credential:
    """A credential as the saga hands it to the port."""
    return Credential(pair, rotation_id, other)


Connect = Callable[[VaultOptions], VaultKv]


class Hand(Protocol):
    """Somebody else with rights on the same Vault. Paths are below the mount."""

    def put(self, path: str, fields: Mapping[str, Any]) -> int:
        """Writes a version without check-and-set and gives its number."""

    def fields(self, path: str, version: int = 0) -> Mapping[str, Any]:
        """The fields of a version (0: the newest); raises LookupError where it cannot be read."""

    def delete(self, path: str, version: int) -> None:
        """Soft-deletes a version."""

    def destroyed(self, path: str) -> set[int]:
        """The numbers of the destroyed versions; raises LookupError where the path has no metadata."""

    def settings(self, path: str, **settings: Any) -> None:
        """Sets max_versions, delete_version_after, ... of a path, or of the mount where the path is ""."""


@dataclass(frozen=True)
class World:
    """One implementation, ready."""

    port: ports.Vault
    hand: Hand


class RealHand:
    """Root at a real Vault."""

    def __init__(self, vault: RealVault, mount: str) -> None:
        self.vault = vault
        self.mount = mount

    def put(self, path: str, fields: Mapping[str, Any]) -> int:
        return self.vault.kv_put(self.mount, path, fields)

    def fields(self, path: str, version: int = 0) -> Mapping[str, Any]:
        with lookup():
            found: Mapping[str, Any] = self.vault.kv_get(self.mount, path, version=version)["data"]
        return found

    def delete(self, path: str, version: int) -> None:
        self.vault.request("POST", f"{self.mount}/delete/{path}", {"versions": [version]})

    def destroyed(self, path: str) -> set[int]:
        with lookup():
            versions = self.vault.kv_metadata(self.mount, path)["versions"]
        return {int(number) for number, version in versions.items() if version["destroyed"]}

    def settings(self, path: str, **settings: Any) -> None:
        place = f"metadata/{path}" if path else "config"
        self.vault.request("POST", f"{self.mount}/{place}", settings)


def real_world(request: pytest.FixtureRequest) -> World:
    """HashiCorp's Vault, a mount of the test's own, root's token."""
    vault: RealVault = request.getfixturevalue("real_vault")
    mount: str = request.getfixturevalue("vault_mount")
    client = VaultClient(options_for(vault, mount))
    request.addfinalizer(client.close)
    return World(VaultKv(client), RealHand(vault, mount))


class Door:
    """Root at the simulator's Vault, and its admin door."""

    def __init__(self, simulator: Running) -> None:
        self.address = simulator.vault_url
        self._admin = simulator.admin_url
        self._http = httpx.Client(trust_env=False)
        self.root = self.admin("GET", "/world")["vault"]["root_token"]

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """One request at the admin door."""
        return self._http.request(method, self._admin + path, json=body).raise_for_status().json()

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the Vault as root; raises LookupError for a 404."""
        headers = {"X-Vault-Token": self.root}
        answer = self._http.request(method, f"{self.address}/v1/{path}", json=body, headers=headers)
        if answer.status_code == 404:
            raise LookupError(path)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def close(self) -> None:
        self._http.close()


class SimulatedHand:
    """Root at the simulator's Vault."""

    def __init__(self, door: Door, mount: str) -> None:
        self.door = door
        self.mount = mount

    def put(self, path: str, fields: Mapping[str, Any]) -> int:
        written: int = self.door.request("POST", f"{self.mount}/data/{path}", {"data": dict(fields)})["data"]["version"]
        return written

    def fields(self, path: str, version: int = 0) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.door.request("GET", f"{self.mount}/data/{path}?version={version}")["data"]
        data: Mapping[str, Any] = found["data"]
        return data

    def delete(self, path: str, version: int) -> None:
        self.door.request("POST", f"{self.mount}/delete/{path}", {"versions": [version]})

    def destroyed(self, path: str) -> set[int]:
        versions = self.door.request("GET", f"{self.mount}/metadata/{path}")["data"]["versions"]
        return {int(number) for number, version in versions.items() if version["destroyed"]}

    def settings(self, path: str, **settings: Any) -> None:
        self.door.request("POST", f"{self.mount}/" + (f"metadata/{path}" if path else "config"), settings)


def simulated_world(request: pytest.FixtureRequest) -> World:
    """The simulator's Vault, a mount of the test's own, root's token."""
    door: Door = request.getfixturevalue("simulated_vault")
    mount = f"kv-{next(_NUMBERS)}"
    door.request("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}})
    auth = TokenAuth(lambda: Secret(door.root))
    client = VaultClient(VaultOptions((door.address,), auth, mount=mount, insecure=True))
    request.addfinalizer(client.close)
    return World(VaultKv(client), SimulatedHand(door, mount))


_NUMBERS = itertools.count(1)


def options_for(vault: RealVault, mount: str, **more: Any) -> VaultOptions:
    """Options to reach the test's Vault, with root's token unless told."""
    auth = more.pop("auth", TokenAuth(lambda: Secret(vault.root_token)))
    ca_file = str(vault.tls.ca_file) if vault.tls else ""
    return VaultOptions((vault.address,), auth, mount=mount, insecure=vault.tls is None, ca_file=ca_file, **more)


class Unwatched(model.World):
    """The world of tests/model without its judge: what the contract writes is no rotation."""

    def health(self) -> tuple[bool, bool, bool]:
        return True, True, True

    def check_rules(self, obj: str) -> None:
        """No intent is needed."""


def memory_port(_: pytest.FixtureRequest) -> ports.Vault:
    """The port of the model, with nothing in it yet."""
    row = Rotation("r-0", "billing", "acme", Consumer("o", "a", "c"), TARGET)
    return MemoryVault(Unwatched(live={}, live_number=0, rows=[row]))


WORLDS: Mapping[str, Callable[[pytest.FixtureRequest], World]] = {
    "real": real_world,
    "simulator": simulated_world,
}

# Also what no foreign hand can reach into: tests that use nothing but the port.
PORTS: Mapping[str, Callable[[pytest.FixtureRequest], ports.Vault]] = {
    "real": lambda request: real_world(request).port,
    "simulator": lambda request: simulated_world(request).port,
    "memory": memory_port,
}

NEEDS = {"real": [pytest.mark.needs("vault")]}


class lookup:
    """Turns a Vault's 404 into a LookupError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if getattr(error, "status", None) == 404:
            raise LookupError("not in Vault") from None
