"""Logging in to HashiCorp's Vault: AppRole with a plain and a wrapped secret id, JWT, TLS certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rotator.adapters.vault import AppRoleAuth, Auth, CertAuth, JwtAuth, VaultClient, VaultKv
from rotator.domain.errors import Refused
from rotator.domain.pair import Live
from rotator.domain.secret import Secret
from tests.contract.vault_ports import TARGET, options_for
from tests.servers.fixtures import StartVault
from tests.servers.network import Tls
from tests.servers.vault import RealVault

ALL = 'path "{mount}/*" {{ capabilities = ["create", "read", "update", "delete", "list", "patch"] }}'

Connect = Callable[[Auth], VaultKv]


@pytest.fixture
def policy(real_vault: RealVault, vault_mount: str) -> str:
    """A policy for everything on the test's mount."""
    return real_vault.write_policy(ALL.format(mount=vault_mount))


@pytest.fixture
def connect(real_vault: RealVault, vault_mount: str) -> Iterator[Connect]:
    """Makes ports that log in as told, and closes their clients."""
    clients: list[VaultClient] = []

    def make(auth: Auth) -> VaultKv:
        clients.append(VaultClient(options_for(real_vault, vault_mount, auth=auth)))
        return VaultKv(clients[-1])

    yield make
    for client in clients:
        client.close()


def test_approle_logs_in_with_a_secret_id_from_its_file(real_vault: RealVault, policy: str, connect: Connect) -> None:
    """And a wrong one is refused with the command for a new one."""
    at, role = real_vault.approle(policy)
    assert connect(AppRoleAuth(role.role_id, lambda: Secret(role.secret_id), mount=at)).live(TARGET) == Live(0)
    with pytest.raises(Refused) as caught:
        connect(AppRoleAuth(role.role_id, lambda: Secret("wrong-secret-id"), mount=at)).live(TARGET)
    assert caught.value.code == "vault_login"
    assert "secret-id" in caught.value.fix


def test_a_new_secret_id_in_the_file_is_taken_at_the_next_login(
    real_vault: RealVault, policy: str, connect: Connect
) -> None:
    """No restart is needed."""
    at, role = real_vault.approle(policy, secret_id_num_uses=1)
    ids = iter([role.secret_id, real_vault.secret_id(at, role.name)])
    port = connect(AppRoleAuth(role.role_id, lambda: Secret(next(ids)), mount=at))
    port.live(TARGET)
    real_vault.request("POST", f"sys/leases/revoke-prefix/auth/{at}", {})
    assert port.live(TARGET) == Live(0)


def test_a_wrapped_secret_id_is_opened_once_and_kept_for_later_logins(
    real_vault: RealVault, policy: str, connect: Connect
) -> None:
    """The file holds a spent wrapping token from then on, and that is fine while we run."""
    at, role = real_vault.approle(policy)
    wrapping = real_vault.wrapped_secret_id(at, role.name)
    port = connect(AppRoleAuth(role.role_id, lambda: Secret(wrapping), wrapped=True, mount=at))
    port.live(TARGET)
    real_vault.request("POST", f"sys/leases/revoke-prefix/auth/{at}", {})
    assert port.live(TARGET) == Live(0)


def test_a_new_wrapping_token_in_the_file_is_opened(real_vault: RealVault, policy: str, connect: Connect) -> None:
    """When the old secret id was used up."""
    at, role = real_vault.approle(policy, secret_id_num_uses=1)
    tokens = [real_vault.wrapped_secret_id(at, role.name)]
    port = connect(AppRoleAuth(role.role_id, lambda: Secret(tokens[-1]), wrapped=True, mount=at))
    port.live(TARGET)
    real_vault.request("POST", f"sys/leases/revoke-prefix/auth/{at}", {})  # takes wrapping tokens made there along
    tokens.append(real_vault.wrapped_secret_id(at, role.name))
    assert port.live(TARGET) == Live(0)


def test_a_wrapping_token_that_somebody_opened_is_a_security_alert(
    real_vault: RealVault, policy: str, connect: Connect
) -> None:
    """Not a retry: the fix says to find out who."""
    at, role = real_vault.approle(policy)
    wrapping = real_vault.wrapped_secret_id(at, role.name)
    real_vault.request("POST", "sys/wrapping/unwrap", {}, token=wrapping)
    with pytest.raises(Refused, match="security alert") as caught:
        connect(AppRoleAuth(role.role_id, lambda: Secret(wrapping), wrapped=True, mount=at)).live(TARGET)
    assert caught.value.code == "vault_wrapping"
    assert "audit log" in caught.value.fix
    assert wrapping not in str(caught.value)


@pytest.mark.parametrize("made", ["elsewhere", "by_hand"])
def test_a_wrapping_token_that_was_not_made_by_the_role_is_a_security_alert_and_is_not_opened(
    real_vault: RealVault, policy: str, connect: Connect, made: str
) -> None:
    """An attacker could hand us a secret id of his own role, or anything that he wrapped himself."""
    at, role = real_vault.approle(policy)
    other, foreign = real_vault.approle(policy)
    wrapping = real_vault.wrapped_secret_id(other, foreign.name)
    if made == "by_hand":
        headers = {"X-Vault-Token": real_vault.root_token, "X-Vault-Wrap-TTL": "60s"}
        body = {"secret_id": role.secret_id}
        answer = real_vault._http.post("/v1/sys/wrapping/wrap", json=body, headers=headers)
        wrapping = answer.raise_for_status().json()["wrap_info"]["token"]
    with pytest.raises(Refused, match=r"security alert.*was not made by") as caught:
        connect(AppRoleAuth(role.role_id, lambda: Secret(wrapping), wrapped=True, mount=at)).live(TARGET)
    assert caught.value.code == "vault_wrapping"
    real_vault.request("POST", "sys/wrapping/unwrap", {}, token=wrapping)


def test_a_jwt_logs_in(real_vault: RealVault, policy: str, connect: Connect) -> None:
    """Signed by the key that the method was told; by another key it is refused."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    public = (
        keys[0].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    at = real_vault.enable_auth("jwt")
    real_vault.request("POST", f"auth/{at}/config", {"jwt_validation_pubkeys": [public.decode()]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": [policy]}
    real_vault.request("POST", f"auth/{at}/role/rotator", role)
    now = datetime.now(UTC)
    claims = {"sub": "rotator", "aud": "vault", "iat": now, "nbf": now, "exp": now + timedelta(minutes=5)}
    good, bad = (jwt.encode(claims, key, "ES256") for key in keys)
    assert connect(JwtAuth("rotator", lambda: Secret(good), mount=at)).live(TARGET) == Live(0)
    with pytest.raises(Refused) as caught:
        connect(JwtAuth("rotator", lambda: Secret(bad), mount=at)).live(TARGET)
    assert caught.value.code == "vault_login"


def test_a_client_certificate_logs_in(vault_starter: StartVault, tmp_path: Path) -> None:
    """It is part of the TLS handshake; without the right one the login is refused."""
    vault = vault_starter(tls=Tls.make(tmp_path))
    mount = vault.enable_kv("secret")
    at = vault.enable_auth("cert", "cert")
    authorities = [trustme.CA() for _ in range(2)]
    trusted = authorities[0].cert_pem.bytes().decode()
    policy = vault.write_policy(ALL.format(mount=mount))
    vault.request("POST", f"auth/{at}/certs/rotator", {"certificate": trusted, "token_policies": [policy]})
    logins = [cert_auth(authority, tmp_path / str(place)) for place, authority in enumerate(authorities)]
    good, bad = (VaultClient(options_for(vault, mount, auth=login)) for login in logins)
    assert VaultKv(good).live(TARGET) == Live(0)
    with pytest.raises(Refused) as caught:
        VaultKv(bad).live(TARGET)
    assert caught.value.code == "vault_login"
    good.close()
    bad.close()


def cert_auth(authority: trustme.CA, folder: Path) -> CertAuth:
    """A certificate of this authority as two files."""
    folder.mkdir()
    made = authority.issue_cert("rotator.test", common_name="rotator.test")
    cert, key = folder / "client.pem", folder / "client.key"
    cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())
    return CertAuth(str(cert), str(key), role="rotator")
