"""A Vault of several nodes on one machine: one is active, the others stand by, and one takes over when it dies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.servers.vault import START_LIMIT_S, RealVault, VaultError


class Node(RealVault):
    """One node. The first is initialised; the others join it."""

    def __init__(self, binary: str, folder: Path, name: str) -> None:
        self.name = name
        super().__init__(binary, folder, storage="raft")

    def _config(self, storage: str, extra: str) -> str:
        return super()._config(storage, extra).replace('node_id = "one"', f'node_id = "{self.name}"')

    def join(self, first: Node) -> None:
        """Starts it as another node of the first one's cluster."""
        self._run()
        self._wait_health({501})
        self.request("POST", "sys/storage/raft/join", {"leader_api_addr": first.address}, token="")
        self.root_token, self.unseal_key = first.root_token, first.unseal_key
        self.enter()

    def again(self) -> None:
        """Starts it after it was killed."""
        self._run()
        self._wait_health({503})
        self.enter()

    def enter(self) -> None:
        """Unseals it; it may stand by. It answers 500 while it is still joining."""
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            with suppress(VaultError):
                self.request("PUT", "sys/unseal", {"key": self.unseal_key}, token="")
            for _ in range(20):
                if self.health() in (200, 429):
                    return
                time.sleep(0.1)
        raise AssertionError(f"{self.name} does not come up: {self.log_file.read_text()[-2000:]}")

    def health(self) -> int:
        """200: active; 429: stands by; 503: sealed; 0: not there."""
        try:
            return self._http.get("/v1/sys/health").status_code
        except httpx.TransportError:
            return 0


class VaultCluster(RealVault):
    """Answers for all its nodes: requests go to the active one."""

    def __init__(self, binary: str, folder: Path, nodes: int) -> None:
        self.nodes = [self._node(binary, folder, f"n{number}") for number in range(nodes)]
        first = self.nodes[0]
        self.address, self._names, self._http = first.address, first._names, first._http

    @staticmethod
    def _node(binary: str, folder: Path, name: str) -> Node:
        place = folder / name
        place.mkdir()
        return Node(binary, place, name)

    @property
    def addresses(self) -> list[str]:
        return [node.address for node in self.nodes]

    def start(self) -> VaultCluster:
        """All of them."""
        self.nodes[0].start()
        self.root_token, self.unseal_key = self.nodes[0].root_token, self.nodes[0].unseal_key
        for node in self.nodes[1:]:
            node.join(self.nodes[0])
        self.wait_whole()
        return self

    def wait_whole(self) -> None:
        """Waits until all nodes vote and are healthy: a new one votes only after ten seconds, and without a majority
        of voters there is no election."""
        limit = time.monotonic() + 2 * START_LIMIT_S
        while time.monotonic() < limit:
            with suppress(VaultError, httpx.TransportError):
                found = self.request("GET", "sys/storage/raft/autopilot/state")["data"]
                if found["healthy"] and len(found["voters"]) == len(self.nodes):
                    return
            time.sleep(0.5)
        raise AssertionError("the cluster does not become whole")

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def active(self) -> Node:
        """The active one; waits for an election."""
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            found = next((node for node in self.nodes if node.health() == 200), None)
            if found is not None:
                return found
            time.sleep(0.1)
        raise AssertionError("no node is active")

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None, *,
                token: str | None = None) -> dict[str, Any]:
        return self.active().request(method, path, body, token=token)
