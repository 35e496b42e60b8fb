"""The helpers that start a real Vault do what their names say."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.servers.fixtures import StartVault
from tests.servers.network import Tls
from tests.servers.vault import RealVault, VaultError


def test_a_version_is_written_with_check_and_set_and_read_back(real_vault: RealVault, vault_mount: str) -> None:
    """KV v2 of the real server takes the first write and refuses a second one that names the same version."""
    assert real_vault.kv_put(vault_mount, "a/b", {"k": "v"}, cas=0) == 1
    with pytest.raises(VaultError) as refused:
        real_vault.kv_put(vault_mount, "a/b", {"k": "late"}, cas=0)
    assert refused.value.status == 400
    assert "check-and-set" in refused.value.errors[0]
    assert real_vault.kv_get(vault_mount, "a/b")["data"] == {"k": "v"}
    assert real_vault.kv_metadata(vault_mount, "a/b")["current_version"] == 1


def test_a_sealed_vault_answers_503_and_serves_again_after_unseal(real_vault: RealVault, vault_mount: str) -> None:
    """Sealing and unsealing in mid-test work on the shared server, and nothing is lost."""
    real_vault.kv_put(vault_mount, "a", {"k": "v"})
    real_vault.seal()
    try:
        assert real_vault.sealed
        with pytest.raises(VaultError) as refused:
            real_vault.kv_get(vault_mount, "a")
        assert refused.value.status == 503
    finally:
        real_vault.unseal()
    assert not real_vault.sealed
    assert real_vault.kv_get(vault_mount, "a")["data"] == {"k": "v"}


def test_an_approle_login_has_its_policy_and_no_more(real_vault: RealVault, vault_mount: str) -> None:
    """A role's token may do what its policy names; the neighbouring path is refused."""
    rules = f'path "{vault_mount}/data/mine" {{ capabilities = ["create", "update"] }}'
    at, login = real_vault.approle(real_vault.write_policy(rules), token_ttl="60s")
    body = {"role_id": login.role_id, "secret_id": login.secret_id}
    token = real_vault.request("POST", f"auth/{at}/login", body, token="")["auth"]["client_token"]
    real_vault.request("POST", f"{vault_mount}/data/mine", {"data": {}}, token=token)
    with pytest.raises(VaultError) as refused:
        real_vault.request("POST", f"{vault_mount}/data/yours", {"data": {}}, token=token)
    assert refused.value.status == 403


def test_a_wrapped_secret_id_unwraps_once(real_vault: RealVault) -> None:
    """The wrapping token gives the secret id to the first who asks, and to nobody else."""
    at, login = real_vault.approle("default")
    wrapped = real_vault.wrapped_secret_id(at, login.name)
    opened = real_vault.request("POST", "sys/wrapping/unwrap", {}, token=wrapped)
    assert opened["data"]["secret_id"]
    with pytest.raises(VaultError):
        real_vault.request("POST", "sys/wrapping/unwrap", {}, token=wrapped)


def test_raft_storage_survives_a_kill(vault_starter: StartVault) -> None:
    """A Vault that was killed comes back with what it had acknowledged."""
    vault = vault_starter(storage="raft")
    mount = vault.enable_kv()
    vault.kv_put(mount, "a", {"k": "v"})
    vault.kill()
    with pytest.raises(httpx.TransportError):
        vault.kv_get(mount, "a")
    vault.start()
    assert vault.kv_get(mount, "a")["data"] == {"k": "v"}


def test_tls_is_verified_against_the_tests_own_authority(vault_starter: StartVault, tmp_path: Path) -> None:
    """With TLS the server is reached by who trusts its authority and refused by who does not."""
    vault = vault_starter(tls=Tls.make(tmp_path))
    assert vault.address.startswith("https://")
    assert not vault.sealed
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as stranger:
        stranger.get(f"{vault.address}/v1/sys/health")
