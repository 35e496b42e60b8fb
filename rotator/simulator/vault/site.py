"""The HTTP face of the Vault: state, namespace, token, capability, then the engine."""

from __future__ import annotations

import base64
import re
from typing import Any

from rotator.simulator.clock import iso, seconds
from rotator.simulator.vault import auth, secrets, system
from rotator.simulator.vault.kv import Mount
from rotator.simulator.vault.model import Token, Vault, VaultError
from rotator.simulator.wire.call import Call, Reply, as_json

CAPABILITIES = {"GET": "read", "LIST": "list", "POST": "update", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
SELF = ("lookup-self", "renew-self", "revoke-self")


def answer(vault: Vault, call: Call) -> Reply:
    """One request to its reply, errors included."""
    try:
        reply = wrapped(vault, call, dispatch(vault, call))
    except VaultError as error:
        reply = as_json({"errors": error.errors}, error.status)
    reply.headers["Date"] = vault.clock.http_date()
    reply.headers["Cache-Control"] = "no-store"
    if reply.effect.startswith("kv"):
        vault.index += 1
        reply.headers["X-Vault-Index"] = base64.b64encode(f"sim:{vault.index}".encode()).decode()
    return reply


def dispatch(vault: Vault, call: Call) -> Reply:
    """Endpoints without a token first, then the ones behind it."""
    if not call.path.startswith("/v1/"):
        return Reply(404, b"404 page not found\n", {"content-type": "text/plain"})
    path = call.path.removeprefix("/v1/").strip("/")
    if path == "sys/health":
        return system.health(vault, call)
    if path == "sys/seal-status":
        return system.seal_status(vault)
    system.refuse_by_state(vault, call)
    namespace = call.headers.get("x-vault-namespace", "").strip("/")
    if namespace not in vault.mounts:
        raise VaultError(404, f'no handler for route "{namespace}/{path}". route entry not found.')
    login = re.fullmatch(r"auth/([^/]+)/login", path)
    if login:
        return auth.login(vault, call, login[1])
    wrapping = re.fullmatch(r"sys/wrapping/(lookup|unwrap)", path)
    if wrapping:
        return auth.wrapping(vault, call, wrapping[1])
    return behind_token(vault, call, path, namespace)


def behind_token(vault: Vault, call: Call, path: str, namespace: str) -> Reply:
    """Everything that needs a token: sys, auth/token, and the mounts."""
    token = vault.token(call.headers.get("x-vault-token") or call.bearer())
    mounts = vault.mounts[namespace]
    if path == "sys/capabilities-self":
        return system.capabilities(vault, call, token)
    if path.startswith("sys/internal/ui/mounts/"):
        return system.mount_info(vault, mounts, path.removeprefix("sys/internal/ui/mounts/"))
    own = path.removeprefix("auth/token/")
    if own in SELF and own != path:
        return auth.token_endpoint(vault, call, token, own)
    need_capability(vault, call, token, path, mounts)
    return engines(vault, call, token, path, mounts)


def engines(vault: Vault, call: Call, token: Token, path: str, mounts: dict[str, Mount | dict[str, Any]]) -> Reply:
    """auth/token/create, secret ids, new mounts, and the KV engines."""
    if path.startswith("auth/token/"):
        return auth.token_endpoint(vault, call, token, path.removeprefix("auth/token/"))
    role = re.fullmatch(r"auth/approle/role/([^/]+)/secret-id", path)
    if role:
        return auth.secret_id(vault, call, role[1])
    if path.startswith("sys/mounts/") and call.method in ("POST", "PUT"):
        return system.put_mount(vault, call, mounts, path.removeprefix("sys/mounts/"))
    for name, mount in mounts.items():
        if path == name or path.startswith(name + "/"):
            rest = path[len(name) + 1 :]
            if isinstance(mount, Mount):
                return secrets.answer(vault, call, mount, name, rest)
            return secrets.version_one(vault, call, mount, name, rest)
    raise VaultError(404, f'no handler for route "{path}". route entry not found.')


def need_capability(
    vault: Vault, call: Call, token: Token, path: str, mounts: dict[str, Mount | dict[str, Any]]
) -> None:
    """403 where a rule of the admin door takes the capability away. Writing an absent path needs `create`."""
    wanted = "list" if call.method == "GET" and call.query.get("list") == "true" else CAPABILITIES.get(call.method, "")
    if wanted == "update" and is_new(path, mounts):
        wanted = "create"
    held = vault.allowed(token, path)
    if "root" not in held and wanted not in held:
        raise VaultError(403, "1 error occurred:\n\t* permission denied\n\n")


def is_new(path: str, mounts: dict[str, Mount | dict[str, Any]]) -> bool:
    """Whether a KV v2 data or metadata path does not exist yet."""
    for name, mount in mounts.items():
        match = re.fullmatch(re.escape(name) + r"/(data|metadata)/(.+)", path)
        if match and isinstance(mount, Mount):
            return match[2] not in mount.keys
    return False


def wrapped(vault: Vault, call: Call, reply: Reply) -> Reply:
    """Wrap a good answer when the request asks with `X-Vault-Wrap-TTL`."""
    ttl = call.headers.get("x-vault-wrap-ttl", "")
    body = reply.json()
    if not ttl or reply.status != 200 or not isinstance(body, dict):
        return reply
    info = vault.wrap(body, call.path.removeprefix("/v1/"), seconds(ttl))
    info["creation_time"] = iso(float(info["creation_time"]))
    return secrets.ok(vault, None, effect=reply.effect, about=reply.about, wrap=info)
