"""A real HashiCorp Vault as a process of its own, for tests: started, unsealed, sealed, killed and started again.

Every server listens on a free port of the loopback address and is stopped by the process id that the test started.
"""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx

from tests.servers.network import Tls, free_port

__all__ = ["AppRole", "RealVault", "Tls", "VaultError", "free_port"]

START_LIMIT_S = 30.0

CONFIG = """
disable_mlock = true
ui = false
api_addr = "{address}"
cluster_addr = "http://127.0.0.1:{cluster_port}"
{storage}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  {tls}
}}
{extra}
"""


class VaultError(Exception):
    """The Vault answered with an error that the test did not ask for."""

    def __init__(self, method: str, path: str, status: int, errors: list[str]) -> None:
        super().__init__(f"{method} {path}: {status} {errors}")
        self.status = status
        self.errors = errors


@dataclass(frozen=True)
class AppRole:
    """A login: the role's id and a secret id of it."""

    name: str
    role_id: str
    secret_id: str


class RealVault:
    """One Vault server. `storage="raft"` survives kill and restart, `inmem` is quicker to start."""

    def __init__(
        self,
        binary: str,
        folder: Path,
        *,
        storage: Literal["inmem", "raft"] = "inmem",
        tls: Tls | None = None,
        extra_config: str = "",
    ) -> None:
        self.binary = binary
        self.folder = folder
        self.tls = tls
        self.port = free_port()
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.root_token = ""
        self.unseal_key = ""
        self.log_file = folder / "vault.log"
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        verify = ssl.create_default_context(cafile=str(tls.ca_file)) if tls else True
        self._http = httpx.Client(base_url=self.address, verify=verify, timeout=20, trust_env=False)
        self.config_file = folder / "vault.hcl"
        self.config_file.write_text(self._config(storage, extra_config))

    def _config(self, storage: str, extra: str) -> str:
        kept = 'storage "inmem" {}'
        if storage == "raft":
            data = self.folder / "data"
            data.mkdir()
            kept = f'storage "raft" {{ path = "{data}" node_id = "one" performance_multiplier = 1 }}'
        tls = "tls_disable = true"
        if self.tls:
            tls = f'tls_cert_file = "{self.tls.cert_file}"\n  tls_key_file = "{self.tls.key_file}"'
        ports = {"port": self.port, "cluster_port": free_port()}
        return CONFIG.format(address=self.address, storage=kept, tls=tls, extra=extra, **ports)

    @property
    def addresses(self) -> list[str]:
        """Where clients find it."""
        return [self.address]

    # --- the process -------------------------------------------------------------------------------------------

    def start(self) -> RealVault:
        """Starts the process; the first time also initialises it, then unseals it and waits until it is active."""
        self._run()
        health = self._wait_health({200, 429, 472, 473, 501, 503})
        if health == 501:
            made = self.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
            self.unseal_key, self.root_token = made["keys_base64"][0], made["root_token"]
        self.unseal()
        return self

    def _run(self) -> None:
        # Not the machine's environment: VAULT_* variables would change the server under test.
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [self.binary, "server", f"-config={self.config_file}", "-log-level=warn"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"HOME": str(self.folder)},
            )

    def stop(self) -> None:
        """Ends the process as an operator would, and closes the client."""
        self._end(kill=False)
        self._http.close()

    def kill(self) -> None:
        """Ends the process without warning; `start` brings it back, with what raft storage kept."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    @property
    def pid(self) -> int:
        """The process id, for stopping and continuing it (SIGSTOP, SIGCONT)."""
        assert self._process is not None, "the Vault is not running"
        return self._process.pid

    def _wait_health(self, wanted: set[int]) -> int:
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            assert self._process is not None
            if self._process.poll() is not None:
                raise AssertionError(f"the Vault ended by itself: {self.log_file.read_text()[-2000:]}")
            try:
                status = self._http.get("/v1/sys/health").status_code
            except httpx.TransportError:
                status = 0
            if status in wanted:
                return status
            time.sleep(0.05)
        raise AssertionError(f"the Vault is not ready: {self.log_file.read_text()[-2000:]}")

    def seal(self) -> None:
        """Seals the Vault: every read and write answers 503 until `unseal`."""
        self.request("PUT", "sys/seal")
        self._wait_health({503})

    def unseal(self) -> None:
        """Unseals the Vault and waits until it is active and its KV v2 engines serve."""
        self.request("PUT", "sys/unseal", {"key": self.unseal_key}, token="")
        self._wait_health({200})
        for path, mounted in self.request("GET", "sys/mounts")["data"].items():
            if mounted["type"] == "kv" and (mounted["options"] or {}).get("version") == "2":
                self._wait_upgraded(path.rstrip("/"))

    @property
    def sealed(self) -> bool:
        """Whether it is sealed now."""
        return bool(self.request("GET", "sys/seal-status", token="")["sealed"])

    # --- its API -----------------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        """Sends one request, as root unless told, and gives the answer's JSON. Raises VaultError for 4xx and 5xx."""
        using = self.root_token if token is None else token
        headers = {"X-Vault-Token": using} if using else {}
        answer = self._http.request(method, f"/v1/{path}", json=body, headers=headers)
        parsed: dict[str, Any] = answer.json() if answer.content else {}
        if answer.status_code >= 400:
            raise VaultError(method, path, answer.status_code, parsed.get("errors", []))
        return parsed

    def new_name(self, kind: str) -> str:
        """Gives a name that this server has not seen: every test has mounts, roles and policies of its own."""
        return f"{kind}-{next(self._names)}"

    def enable_kv(self, mount: str | None = None, *, version: int = 2) -> str:
        """Mounts a KV engine and gives its path; KV v2 is ready when this returns."""
        path = mount or self.new_name("kv")
        self.request("POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}})
        if version == 2:
            self._wait_upgraded(path)
        return path

    def _wait_upgraded(self, path: str) -> None:
        # Fresh, or after an unseal, it answers 400 "Upgrading from non-versioned to versioned data" for a moment.
        for _ in range(200):
            try:
                self.request("GET", f"{path}/config")
            except VaultError as refused:
                if refused.status != 400:
                    raise
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"KV v2 at {path} is not ready")

    def enable_auth(self, kind: str, path: str | None = None) -> str:
        """Enables an auth method (approle, jwt, cert, ...) and gives its path."""
        at = path or self.new_name(kind)
        self.request("POST", f"sys/auth/{at}", {"type": kind})
        return at

    def write_policy(self, rules: str, name: str | None = None) -> str:
        """Writes a policy in HCL and gives its name."""
        named = name or self.new_name("policy")
        self.request("PUT", f"sys/policies/acl/{named}", {"policy": rules})
        return named

    def token(self, *policies: str, ttl: str = "1h", **more: Any) -> str:
        """Makes a token with these policies and nothing else."""
        body = {"policies": list(policies), "ttl": ttl, "no_default_policy": False, **more}
        made: str = self.request("POST", "auth/token/create", body)["auth"]["client_token"]
        return made

    def approle(self, *policies: str, mount: str | None = None, **role: Any) -> tuple[str, AppRole]:
        """Enables AppRole (at its own path unless told) with one role; gives the path and a login.

        `role` takes the role's own settings: token_ttl, token_max_ttl, secret_id_num_uses, ...
        """
        at = mount or self.enable_auth("approle")
        name = self.new_name("role")
        self.request("POST", f"auth/{at}/role/{name}", {"token_policies": list(policies), **role})
        role_id: str = self.request("GET", f"auth/{at}/role/{name}/role-id")["data"]["role_id"]
        return at, AppRole(name, role_id, self.secret_id(at, name))

    def secret_id(self, mount: str, role: str) -> str:
        """Makes one more secret id of the role."""
        made: str = self.request("POST", f"auth/{mount}/role/{role}/secret-id", {})["data"]["secret_id"]
        return made

    def wrapped_secret_id(self, mount: str, role: str, *, ttl: str = "60s") -> str:
        """Makes a secret id of the role and gives the wrapping token that unwraps it once."""
        headers = {"X-Vault-Token": self.root_token, "X-Vault-Wrap-TTL": ttl}
        answer = self._http.post(f"/v1/auth/{mount}/role/{role}/secret-id", json={}, headers=headers)
        wrapped: str = answer.raise_for_status().json()["wrap_info"]["token"]
        return wrapped

    def kv_put(self, mount: str, path: str, data: Mapping[str, Any], *, cas: int | None = None) -> int:
        """Writes a version of a KV v2 secret as root (a foreign hand) and gives its number."""
        options = {} if cas is None else {"cas": cas}
        answer = self.request("POST", f"{mount}/data/{path}", {"data": dict(data), "options": options})
        written: int = answer["data"]["version"]
        return written

    def kv_get(self, mount: str, path: str, *, version: int = 0) -> dict[str, Any]:
        """Reads `{"data", "metadata"}` of a KV v2 secret as root; version 0 is the newest. VaultError 404: none."""
        answer: dict[str, Any] = self.request("GET", f"{mount}/data/{path}?version={version}")["data"]
        return answer

    def kv_metadata(self, mount: str, path: str) -> dict[str, Any]:
        """Reads the metadata of a KV v2 secret as root: versions, max_versions, custom_metadata, ..."""
        answer: dict[str, Any] = self.request("GET", f"{mount}/metadata/{path}")["data"]
        return answer
