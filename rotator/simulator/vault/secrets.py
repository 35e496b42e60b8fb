"""The KV endpoints: data, metadata, delete, undelete, destroy, config; and the version 1 mount."""

from __future__ import annotations

from typing import Any

from rotator.simulator.vault.kv import KvError, Mount
from rotator.simulator.vault.model import Vault, VaultError
from rotator.simulator.wire.call import Call, Reply, as_json

UNVERSIONED = (
    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. "
    "If using the Vault CLI, use 'vault kv get' for this operation."
)
MERGE = "application/merge-patch+json"


def answer(vault: Vault, call: Call, mount: Mount, name: str, rest: str) -> Reply:
    """A request below a KV v2 mount; `rest` is the path after the mount."""
    kind, _, path = rest.partition("/")
    if kind == "config" and not path:
        return config(vault, call, mount)
    handlers = {"data": data, "metadata": metadata}
    try:
        if kind in ("delete", "undelete", "destroy") and call.method in ("POST", "PUT"):
            numbers = [int(n) for n in call.json().get("versions") or []]
            getattr(mount, kind)(path, numbers)
            return Reply(204, effect=f"kv.{kind}", about=f"{name}/{path}")
        if kind in handlers:
            return handlers[kind](vault, call, mount, name, path)
    except KvError as error:
        raise VaultError(error.status, *([error.message] if error.message else [])) from None
    return ok(vault, None, status=404, warnings=[UNVERSIONED])


def config(vault: Vault, call: Call, mount: Mount) -> Reply:
    """GET or POST {mount}/config."""
    if call.method in ("POST", "PUT"):
        mount.configure(mount, call.json())
        return Reply(204, effect="kv.config")
    return ok(vault, {"max_versions": mount.max_versions, "cas_required": mount.cas_required,
                      "delete_version_after": mount.delete_version_after})  # fmt: skip


def data(vault: Vault, call: Call, mount: Mount, name: str, path: str) -> Reply:
    """{mount}/data/{path}: read, write, merge patch, soft delete."""
    if call.method == "GET":
        return read(vault, call, mount, path)
    if call.method == "DELETE":
        mount.delete(path)
        return Reply(204, effect="kv.delete", about=f"{name}/{path}")
    body = call.json()
    cas = (body.get("options") or {}).get("cas")
    if not isinstance(body.get("data"), dict):
        raise VaultError(400, "no data provided")
    if call.method == "PATCH":
        need_merge(call)
        if mount.read(path) is None:
            return Reply(404)
        key, number = mount.patch(path, body["data"], None if cas is None else int(cas))
    else:
        key, number = mount.write(path, body["data"], None if cas is None else int(cas))
    return ok(vault, mount.version_meta(key, number), effect="kv.write", about=f"{name}/{path}@{number}")


def need_merge(call: Call) -> None:
    """PATCH wants its own content type: 415 otherwise."""
    if not call.headers.get("content-type", "").startswith(MERGE):
        given = call.headers.get("content-type", "")
        raise VaultError(415, f"PATCH requires Content-Type of {MERGE}, provided {given}")


def read(vault: Vault, call: Call, mount: Mount, path: str) -> Reply:
    """GET data: absent is a 404 without a body of data, deleted is a 404 with the metadata."""
    found = mount.read(path, int(call.query.get("version", "0") or 0))
    if found is None:
        raise VaultError(404)
    key, number, version = found
    gone = mount.gone(version)
    shown = {"data": None if gone else version.data, "metadata": mount.version_meta(key, number)}
    return ok(vault, shown, status=404 if gone else 200)


def metadata(vault: Vault, call: Call, mount: Mount, name: str, path: str) -> Reply:
    """{mount}/metadata/{path}: read, list, replace, merge patch, delete for good."""
    if call.method == "LIST" or (call.method == "GET" and call.query.get("list") == "true"):
        return listing(vault, list(mount.keys), path)
    key = mount.keys.get(path)
    if call.method in ("GET", "PATCH") and key is None:
        raise VaultError(404)
    if call.method == "GET" and key is not None:
        return ok(vault, mount.key_meta(key))
    if call.method == "DELETE":
        mount.keys.pop(path, None)
        return Reply(204, effect="kv.metadata", about=f"{name}/{path}")
    settings = call.json()
    if call.method == "PATCH" and key is not None:
        need_merge(call)
        settings = patched(key.custom, settings)
    mount.configure(mount.key(path), settings)
    return Reply(204, effect="kv.metadata", about=f"{name}/{path}")


def patched(custom: dict[str, str] | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Metadata PATCH merges custom_metadata; a null removes a member, null for all removes them all."""
    changes = settings.get("custom_metadata")
    if not isinstance(changes, dict):
        return settings
    kept = {k: v for k, v in {**(custom or {}), **changes}.items() if v is not None}
    return settings | {"custom_metadata": kept}


def listing(vault: Vault, keys: list[str], path: str) -> Reply:
    """The names one level below a path; folders end in a slash."""
    prefix = path.rstrip("/") + "/" if path.strip("/") else ""
    below = {key[len(prefix) :] for key in keys if key.startswith(prefix)}
    names = sorted({name.split("/")[0] + ("/" if "/" in name else "") for name in below if name})
    if not names:
        raise VaultError(404)
    return ok(vault, {"keys": names})


def version_one(vault: Vault, call: Call, store: dict[str, Any], name: str, path: str) -> Reply:
    """A KV version 1 mount: no versions, no check-and-set."""
    if call.method == "LIST":
        return listing(vault, list(store), path)
    if call.method == "GET":
        if path not in store:
            raise VaultError(404)
        return ok(vault, store[path], lease=2764800)
    if call.method == "DELETE":
        store.pop(path, None)
    else:
        store[path] = call.json()
    return Reply(204, effect="kv1.write", about=f"{name}/{path}")


def ok(vault: Vault, body: Any, status: int = 200, effect: str = "", about: str = "", lease: int = 0,
       auth: Any = None, wrap: Any = None, warnings: list[str] | None = None) -> Reply:  # fmt: skip
    """The envelope of every answer with a body."""
    return as_json({
        "request_id": vault.dice.text(32, "0123456789abcdef"), "lease_id": "", "renewable": False,
        "lease_duration": lease, "data": body, "wrap_info": wrap, "warnings": warnings, "auth": auth,
        "mount_type": "kv",
    }, status, effect, about)  # fmt: skip
