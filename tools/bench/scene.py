"""What the product needs to rotate: a configuration, and a Vault that holds the simulator's pairs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.servers.suites import Found, find_vault
from tests.servers.vault import RealVault
from tools.bench.process import ROOT

APP = "billing"
TOML = """
state_dir = "{folder}"
[database]
url = "sqlite:///{database}"
[vault]
address = "{vault}"
insecure = true
auth = {{ method = "approle", role_id = "{role_id}", secret_id_file = "{secret_id_file}" }}
[orgs.acme]
host = "{org}"
insecure = true
admin = {{ grant = "client_credentials", vault_path = "salesforce/acme/rotator" }}
[apps.billing]
org = "acme"
app = "Billing_Sync"
vault_path = "salesforce/acme/billing"
schedule = {{ every = "30d" }}
overlap = "0s"
[timing]
propagation = "0s"
proof_spacing = "0s"
settle = "0s"
[control]
socket = ""
"""


@dataclass(frozen=True, slots=True)
class Login:
    """How the rotator gets into a Vault."""

    address: str
    role_id: str
    secret_id: str


def door(announced: Mapping[str, Any], method: str, path: str, body: object = None) -> Any:
    """Asks the simulator's admin door."""
    return httpx.request(method, announced["admin"] + path, json=body, timeout=30).raise_for_status().json()


def simulated_vault(announced: Mapping[str, Any]) -> Login:
    """The simulator's own."""
    world = door(announced, "GET", "/world")["vault"]
    return Login(world["url"], world["role_id"], world["secret_id"])


@contextmanager
def best_vault(folder: Path, announced: Mapping[str, Any]) -> Iterator[tuple[str, Login]]:
    """A real Vault with the shipped policy where there is one, else the simulator's; says which."""
    found = find_vault(os.environ)
    if not isinstance(found, Found):
        yield "simulator", simulated_vault(announced)
        return
    (folder / "vault").mkdir()
    vault = RealVault(found.place, folder / "vault")
    try:
        vault.start()
        yield "hashicorp", furnished(vault, door(announced, "GET", "/world")["orgs"]["acme"])
    finally:
        vault.stop()


def furnished(vault: RealVault, org: Mapping[str, Any]) -> Login:
    """Mount, policy, role and the org's present pairs."""
    mount = vault.enable_kv("secret")
    policy = vault.write_policy((ROOT / "config" / "vault-policy.hcl").read_text())
    for one in (org["admin"], org["apps"][APP]):
        pair = {name: one[name] for name in ("client_id", "client_secret")}
        vault.kv_put(mount, one["vault_path"], pair)
    vault.enable_auth("approle", "approle")
    _, role = vault.approle(policy, mount="approle", token_ttl="2h")  # noqa: S106 - a duration
    return Login(vault.address, role.role_id, role.secret_id)


def configure(folder: Path, org: str, vault: str, login: Login) -> Path:
    """Writes a configuration and its secret file into the folder; the database lies beside them."""
    secret_id = folder / "secret-id"
    secret_id.touch(0o600)
    secret_id.write_text(login.secret_id)
    config = folder / "rotator.toml"
    config.write_text(TOML.format(folder=folder, database=folder / "rotator.db", org=org, vault=vault,
                                  role_id=login.role_id, secret_id_file=secret_id))  # fmt: skip
    return config
