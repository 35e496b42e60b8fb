"""The small Vault and HashiCorp's own answer one script of requests alike: status, errors, members, values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rotator.simulator import start
from tests.servers.vault import RealVault

MERGE = {"content-type": "application/merge-patch+json"}
TIMES = ("created_time", "updated_time", "deletion_time")
OWN = ("accessor", "uuid", "id", "creation_time", "config", "server_time_utc", "cluster_name", "cluster_id")
LEFT_OUT = re.compile(r"last_updated_by|created_by|deleted_by|deprecation_status|external_|plugin_|running_")
Step = tuple[str, str, dict[str, Any]]


def data(value: str, cas: int | None = None) -> dict[str, Any]:
    """The body of a write."""
    return {"json": {"data": {"v": value}, "options": {} if cas is None else {"cas": cas}}}


SCRIPT: list[Step] = [
    ("GET", "secret/data/a", {}),
    ("GET", "secret/metadata/a", {}),
    ("POST", "secret/data/a", data("1", 1)),
    ("POST", "secret/data/a", data("1", 0)),
    ("POST", "secret/data/a", data("1", 0)),
    ("GET", "secret/data/a", {}),
    ("PUT", "secret/data/a", data("2", 1)),
    ("POST", "secret/data/a", {"json": {"options": {"cas": 2}}}),
    ("GET", "secret/data/a?version=1", {}),
    ("GET", "secret/data/a?version=9", {}),
    ("PATCH", "secret/data/a", {"json": {"data": {"w": "x"}}}),
    ("PATCH", "secret/data/a", {"content": '{"data": {"w": "x", "v": null}}', "headers": MERGE}),
    ("PATCH", "secret/data/none", {"content": '{"data": {"w": "x"}}', "headers": MERGE}),
    ("GET", "secret/data/a", {}),
    ("DELETE", "secret/data/a", {}),
    ("GET", "secret/data/a", {}),
    ("POST", "secret/data/a", data("4", 3)),
    ("POST", "secret/delete/a", {"json": {"versions": [4]}}),
    ("GET", "secret/data/a", {}),
    ("POST", "secret/undelete/a", {"json": {"versions": [4]}}),
    ("GET", "secret/data/a", {}),
    ("PUT", "secret/destroy/a", {"json": {"versions": [1, 2]}}),
    ("GET", "secret/data/a?version=1", {}),
    ("POST", "secret/undelete/a", {"json": {"versions": [1]}}),
    ("GET", "secret/data/a?version=1", {}),
    ("GET", "secret/metadata/a", {}),
    ("POST", "secret/metadata/a", {"json": {"custom_metadata": {"k": "v", "l": "w"}, "max_versions": 3}}),
    ("GET", "secret/metadata/a", {}),
    ("PATCH", "secret/metadata/a", {"content": '{"custom_metadata": {"l": null, "m": "x"}}', "headers": MERGE}),
    ("GET", "secret/metadata/a", {}),
    ("POST", "secret/data/a", data("5")),
    ("POST", "secret/data/a", data("6")),
    ("GET", "secret/metadata/a", {}),
    ("GET", "secret/data/a?version=2", {}),
    ("POST", "secret/metadata/a", {"json": {"cas_required": True, "delete_version_after": "90m"}}),
    ("POST", "secret/data/a", data("7")),
    ("GET", "secret/metadata/a", {}),
    ("POST", "secret/data/b/c", data("1")),
    ("LIST", "secret/metadata/b", {}),
    ("LIST", "secret/metadata/none", {}),
    ("GET", "secret/metadata/b?list=true", {}),
    ("DELETE", "secret/metadata/a", {}),
    ("GET", "secret/data/a", {}),
    ("DELETE", "secret/data/none", {}),
    ("POST", "secret/destroy/none", {"json": {"versions": [1]}}),
    ("POST", "secret/data/e", {"json": {"data": {}, "options": {"cas": 0}}}),
    ("GET", "secret/data/e", {}),
    ("GET", "secret/e", {}),
    ("GET", "secret/config", {}),
    ("POST", "secret/config", {"json": {"max_versions": 5, "cas_required": True}}),
    ("GET", "secret/config", {}),
    ("POST", "secret/data/f", data("1")),
    ("POST", "secret/config", {"json": {"max_versions": 0, "cas_required": False}}),
    ("POST", "kv1/x", {"json": {"v": "1"}}),
    ("GET", "kv1/x", {}),
    ("GET", "kv1/none", {}),
    ("DELETE", "kv1/x", {}),
    ("GET", "nowhere/x", {}),
    ("GET", "sys/internal/ui/mounts/secret/a", {}),
    ("GET", "sys/internal/ui/mounts/kv1", {}),
    ("GET", "sys/internal/ui/mounts/nowhere", {}),
    ("POST", "sys/capabilities-self", {"json": {"paths": ["secret/data/a", "sys/seal"]}}),
    ("POST", "sys/capabilities-self", {"json": {"paths": ["secret/data/a"]}}),
    ("GET", "auth/token/lookup-self", {}),
    ("GET", "auth/token/lookup-self", {"headers": {"x-vault-token": ""}}),
    ("GET", "secret/data/a", {"headers": {"x-vault-token": "hvs.nobody"}}),
    ("POST", "sys/wrapping/unwrap", {"json": {"token": "hvs.nobody"}}),
    ("POST", "sys/wrapping/lookup", {"json": {"token": "hvs.nobody"}}),
    ("POST", "auth/approle/login", {"json": {"role_id": "nobody", "secret_id": "x"}}),
    ("GET", "sys/health", {}),
    ("GET", "sys/seal-status", {}),
]  # fmt: skip


def told(reply: httpx.Response) -> Any:
    """What two Vaults must agree on: the status, the errors, the members of data, and the values that are no times."""
    try:
        body = reply.json()
    except ValueError:
        return reply.status_code, None
    if "errors" in body:
        return reply.status_code, body["errors"]
    return reply.status_code, body.get("warnings"), compared(body.get("data"))


def compared(value: Any, name: str = "") -> Any:
    """Values, with times as yes or no, without each server's own names and what the small one leaves out."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key not in OWN and not LEFT_OUT.match(key)}
        return {key: compared(inner, key) for key, inner in kept.items()}
    return bool(value) if name in TIMES else value


def play(base: str, token: str) -> list[Any]:
    """The script against one Vault."""
    with httpx.Client(base_url=f"{base}/v1/", headers={"x-vault-token": token}, trust_env=False) as client:
        return [told(client.request(method, path, **more)) for method, path, more in SCRIPT]


@pytest.mark.needs("vault")
def test_the_small_vault_answers_like_the_real_one(vault_starter: Callable[[], RealVault]) -> None:
    """Seventy requests in a row, each compared."""
    real = vault_starter()
    real.enable_kv("secret")
    real.enable_kv("kv1", version=1)
    real.enable_auth("approle", "approle")
    with start(seed=1) as running:
        root = httpx.get(f"{running.admin_url}/world", trust_env=False).json()["vault"]["root_token"]
        ours, theirs = play(running.vault_url, root), play(real.address, real.root_token)
    apart = [(step, mine, his) for step, mine, his in zip(SCRIPT, ours, theirs, strict=True) if mine != his]
    assert apart == []
