"""The sys endpoints: health, seal status, mounts, capabilities; and what the statuses 429 to 503 look like."""

from __future__ import annotations

from typing import Any

from rotator.simulator.vault.kv import Mount
from rotator.simulator.vault.model import Token, Vault, VaultError
from rotator.simulator.vault.secrets import ok
from rotator.simulator.wire.call import Call, Reply, as_json

VERSION = "1.21.2"
WORDS = {
    412: "required index state not present", 429: "request path \"\": rate limit quota exceeded",
    472: "this node is a DR secondary", 473: "node is a performance standby",
    474: "standby cannot reach the active node",
    500: "internal error", 501: "Vault is not initialized", 502: "upstream is not reachable", 503: "Vault is sealed",
    530: "node has been removed",
}  # fmt: skip


def health(vault: Vault, call: Call) -> Reply:
    """GET or HEAD sys/health: the status code is the state; the query may ask for other codes."""
    status = current_status(vault)
    query = call.query
    codes = {503: "sealedcode", 429: "standbycode", 501: "uninitcode", 472: "drsecondarycode",
             473: "performancestandbycode", 200: "activecode"}  # fmt: skip
    shown = int(query.get(codes.get(status, ""), status))
    if (status == 429 and "standbyok" in query) or (status == 473 and "perfstandbyok" in query):
        shown = 200
    return as_json({
        "initialized": vault.initialized, "sealed": vault.sealed, "standby": status in (429, 473),
        "performance_standby": status == 473, "replication_performance_mode": "disabled",
        "replication_dr_mode": "secondary" if status == 472 else "disabled", "server_time_utc": int(vault.clock.now()),
        "version": VERSION, "enterprise": False, "cluster_name": "vault-cluster-sim", "cluster_id": "sim",
    }, shown)  # fmt: skip


def current_status(vault: Vault) -> int:
    """The code that the state of the node stands for."""
    if not vault.initialized:
        return 501
    return 503 if vault.sealed else vault.status or 200


def seal_status(vault: Vault) -> Reply:
    """GET sys/seal-status: 200 in every state."""
    return as_json({"type": "shamir", "initialized": vault.initialized, "sealed": vault.sealed, "t": 1, "n": 1,
                    "progress": 0, "nonce": "", "version": VERSION, "storage_type": "inmem"})  # fmt: skip


def refuse_by_state(vault: Vault, call: Call) -> None:
    """What every other endpoint answers while the node cannot serve; a lagging standby misses the caller's index."""
    status = current_status(vault)
    if status != 200:
        raise VaultError(status, WORDS.get(status, "unavailable"))
    if vault.lag and call.headers.get("x-vault-index"):
        vault.lag -= 1
        raise VaultError(412, WORDS[412])


def mount_info(vault: Vault, mounts: dict[str, Mount | dict[str, Any]], path: str) -> Reply:
    """GET sys/internal/ui/mounts/{path}: what lies at a path, and its KV version."""
    for name, mount in mounts.items():
        if (path + "/").startswith(name + "/"):
            version = "2" if isinstance(mount, Mount) else "1"
            return ok(vault, {"accessor": f"kv_{name}", "config": {"default_lease_ttl": 0, "max_lease_ttl": 0},
                              "description": "", "local": False, "options": {"version": version},
                              "path": f"{name}/", "type": "kv", "seal_wrap": False})  # fmt: skip
    words = "preflight capability check returned 403, please ensure client's policies grant access to path"
    raise VaultError(403, f'{words} "{path}/"')


def capabilities(vault: Vault, call: Call, token: Token) -> Reply:
    """POST sys/capabilities-self {"paths": [...]}."""
    body = call.json()
    paths = [str(p) for p in body.get("paths") or [body.get("path", "")]]
    found: dict[str, Any] = {path: vault.allowed(token, path) for path in paths}
    if len(paths) == 1:
        found["capabilities"] = found[paths[0]]
    envelope = {"request_id": vault.dice.text(32, "0123456789abcdef"), "lease_id": "", "renewable": False,
                "lease_duration": 0, "data": found, "wrap_info": None, "warnings": None, "auth": None}  # fmt: skip
    return as_json(envelope | found)


def put_mount(vault: Vault, call: Call, mounts: dict[str, Mount | dict[str, Any]], name: str) -> Reply:
    """POST sys/mounts/{name}: a new KV mount, version 2 unless told otherwise."""
    if name in mounts:
        raise VaultError(400, f"path is already in use at {name}/")
    version = str((call.json().get("options") or {}).get("version", "1"))
    mounts[name] = Mount(vault.clock) if version == "2" or call.json().get("type") == "kv-v2" else {}
    return Reply(204, effect="vault mount", about=name)
