"""The servers of the demo: a simulated org, and a Vault. Processes of their own on free ports, ended in the end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotator.adapters.http import Http, TransportError
from rotator.adapters.tls import tls_context
from rotator.domain.errors import Refused, Unavailable
from rotator.ports import Clock
from rotator.resources import data_dir

READY = 20.0  # seconds for a server to answer
Json = dict[str, Any]


class Api:
    """JSON over HTTP to one of the demo's own servers."""

    def __init__(self, origin: str, headers: Mapping[str, str] | None = None) -> None:
        self.origin = origin
        self._http, self._headers = Http(origin, tls=tls_context(), cap=16 << 20), dict(headers or {})

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """The body of a success. Raises Refused for any other status, and Unavailable."""
        try:
            answer = self._http.call(method, path, headers=self._headers, json=body)
        except TransportError as error:
            raise Unavailable(f"{self.origin}{path}: {error}") from None
        if answer.status >= 300:
            raise Refused(f"{method} {path}: HTTP {answer.status}")
        found: Json = answer.json() if answer.body else {}
        return found


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's time, which a signal ends."""

    clock: Clock
    stopped: Callable[[], bool]

    def go_on(self) -> None:
        """Raises Unavailable once a signal asked to stop."""
        if self.stopped():
            raise Unavailable("stopped by a signal", fix="run `rotator demo` again")

    def pause(self, seconds: float) -> None:
        """Waits, unless a signal comes."""
        self.clock.sleep(seconds)
        self.go_on()


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """A Vault with the rotator's login, and a root login with which the demo looks at it."""

    words: str  # what it is
    address: str
    role_id: str
    secret_id: str
    root: Api


@contextmanager
def simulator(folder: Path) -> Iterator[Api]:
    """A simulated org as a process; gives its admin door."""
    command = [sys.executable, "-m", "rotator.simulator", "--seed", "7", "--with-parent",
               "--fact", "new_pair_propagation=1s"]  # fmt: skip
    with (folder / "simulator.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)  # noqa: S603
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise Unavailable("the simulator did not start", fix=f"see {folder / 'simulator.log'}")
        yield Api(json.loads(line)["admin"])
    finally:
        end(process)


@contextmanager
def real_vault(binary: str, folder: Path, world: Json, stage: Stage) -> Iterator[VaultPlace]:
    """HashiCorp's Vault in memory, with the shipped policy, an AppRole, and the simulated world's secrets in it."""
    port = free_port()
    log = folder / "vault.log"
    with log.open("wb") as stream:
        command = [binary, "server", "-dev", f"-dev-listen-address=127.0.0.1:{port}"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,  # noqa: S603
                                   env={"HOME": str(folder)}, cwd=folder)  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        root = Api(address, {"x-vault-token": _root_token(process, folder, address, stage)})
        yield _furnished(address, root, world, process)
    finally:
        end(process)


def stand_in(world: Json) -> VaultPlace:
    """The small Vault of the simulator."""
    told = world["vault"]
    root = Api(told["url"], {"x-vault-token": told["root_token"]})
    words = "the simulator's small stand-in for a Vault (no `vault` was found)"
    return VaultPlace(words, told["url"], told["role_id"], told["secret_id"], root)


def _root_token(process: subprocess.Popen[bytes], folder: Path, address: str, stage: Stage) -> str:
    """A development server leaves its root token in the home folder; its KV mount is ready a moment later."""
    place, deadline = folder / ".vault-token", stage.clock.monotonic() + READY
    while stage.clock.monotonic() < deadline and process.poll() is None:
        token = place.read_text().strip() if place.is_file() else ""
        if token and _answers(address, token):
            return token
        stage.pause(0.1)
    raise Unavailable("the Vault did not start", fix=f"see {folder / 'vault.log'}, or leave --vault away")


def _answers(address: str, token: str) -> bool:
    try:
        return "max_versions" in Api(address, {"x-vault-token": token}).call("GET", "/v1/secret/config")["data"]
    except (Refused, Unavailable):
        return False


def _furnished(address: str, root: Api, world: Json, process: subprocess.Popen[bytes]) -> VaultPlace:
    for name, file in (("rotator", "vault-policy.hcl"), ("rotator-destroy", "vault-policy-destroy.hcl")):
        policy = (data_dir("config") / file).read_text()
        root.call("POST", f"/v1/sys/policies/acl/{name}", {"policy": policy})
    root.call("POST", "/v1/sys/auth/approle", {"type": "approle"})
    root.call("POST", "/v1/auth/approle/role/rotator", {"token_policies": "rotator,rotator-destroy", "token_ttl": "1h"})
    role = root.call("GET", "/v1/auth/approle/role/rotator/role-id")["data"]["role_id"]
    secret = root.call("POST", "/v1/auth/approle/role/rotator/secret-id")["data"]["secret_id"]
    for org in world["orgs"].values():
        for app in (org["admin"], *org["apps"].values()):
            pair = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
            live = f"/v1/secret/data/{app['vault_path']}"
            root.call("POST", live, {"data": {**pair, "login_url": org["url"]}, "options": {"cas": 0}})
    version = root.call("GET", "/v1/sys/health")["version"]
    return VaultPlace(f"HashiCorp Vault {version}, in memory, process {process.pid}", address, role, secret, root)


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that the demo started."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
