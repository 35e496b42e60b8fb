"""Signatures: made by a file or by Vault, checked with the public key alone, by our code and by another's."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path

import pytest

from rotator.adapters.signing import FileSigner, PublicKey
from rotator.adapters.vault import TokenAuth, VaultClient, transit_public, transit_sign
from rotator.domain.errors import ConfigError
from rotator.domain.secret import Secret
from tests.contract.vault_ports import options_for
from tests.servers.vault import RealVault, VaultError
from tests.unit.anchors.test_sinks import ANCHOR

POLICY = (Path(__file__).parents[3] / "config" / "vault-policy-audit.hcl").read_text()


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key as the manual makes it."""
    openssl("genpkey", "-algorithm", "ed25519", "-out", tmp_path / "audit.pem")
    return tmp_path / "audit.pem"


def test_openssl_confirms_what_we_sign(key: Path, tmp_path: Path) -> None:
    """An auditor needs nothing of ours: the body, the signature and the public key."""
    signer = FileSigner(Secret(key.read_text()))
    (tmp_path / "body").write_bytes(ANCHOR.body)
    (tmp_path / "sig").write_bytes(base64.b64decode(signer.sign(ANCHOR.body)))
    (tmp_path / "pub.pem").write_bytes(signer.public.pem())
    openssl("pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "pub.pem", "-rawin", "-in", tmp_path / "body",
            "-sigfile", tmp_path / "sig")  # fmt: skip
    assert PublicKey.from_pem((tmp_path / "pub.pem").read_bytes()).id == signer.public.id


def test_only_the_very_bytes_under_the_very_key_are_confirmed(key: Path) -> None:
    """Another text, another key, another signature, none: no."""
    signer, other = FileSigner(Secret(key.read_text())), FileSigner(Secret(made_again(key)))
    signature = signer.sign(ANCHOR.body)
    assert signer.public.made(signature, ANCHOR.body)
    assert not signer.public.made(signature, ANCHOR.body + b" ")
    assert not other.public.made(signature, ANCHOR.body)
    for wrong in ("", "nothing", signature[:-4] + "AAA=", "\N{KEY}"):
        assert not signer.public.made(wrong, ANCHOR.body)


def made_again(key: Path) -> str:
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    return key.read_text()


@pytest.mark.parametrize("kind", ["rsa", "nothing", "public"])
def test_a_wrong_key_is_named_with_the_command_that_makes_a_right_one(key: Path, tmp_path: Path, kind: str) -> None:
    """Not an Ed25519 key: a mistake of the configuration, and nothing of the file is repeated."""
    if kind == "rsa":
        openssl("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    elif kind == "nothing":
        key.write_text("needle")
    else:
        key.write_bytes(FileSigner(Secret(key.read_text())).public.pem())
    with pytest.raises(ConfigError, match="not an Ed25519 private key") as caught:
        FileSigner(Secret(key.read_text()))
    assert "openssl genpkey" in caught.value.fix
    assert "needle" not in str(caught.value)
    with pytest.raises(ConfigError, match="not an Ed25519 public key"):
        PublicKey.from_pem(b"needle")


@pytest.fixture
def transit(real_vault: RealVault) -> str:
    """A transit key of the test's own."""
    try:
        real_vault.request("POST", "sys/mounts/transit", {"type": "transit"})
    except VaultError:
        assert "transit/" in real_vault.request("GET", "sys/mounts")["data"], "it is there already"
    name = real_vault.new_name("audit")
    real_vault.request("POST", f"transit/keys/{name}", {"type": "ed25519"})
    return name


def client_with(vault: RealVault, policy: str) -> VaultClient:
    token = vault.token(vault.write_policy(policy), no_default_policy=True)
    return VaultClient(options_for(vault, "secret", auth=TokenAuth(lambda: Secret(token))))


@pytest.mark.needs("vault")
def test_vault_signs_under_the_policy_of_the_document(real_vault: RealVault, transit: str) -> None:
    """The key never leaves Vault; its public half confirms the signature; the key may be rotated."""
    client = client_with(real_vault, POLICY.replace("rotator-audit", transit))
    for _ in range(2):
        public = PublicKey.from_raw(transit_public(client, transit))
        assert public.made(transit_sign(client, transit, ANCHOR.body), ANCHOR.body)
        real_vault.request("POST", f"transit/keys/{transit}/rotate", {})
    client.close()


@pytest.mark.needs("vault")
def test_a_transit_key_of_another_kind_is_refused(real_vault: RealVault, transit: str) -> None:
    """An RSA key signs too, but no auditor's Ed25519 check would confirm it; an absent key is told as such."""
    name = real_vault.new_name("rsa")
    real_vault.request("POST", f"transit/keys/{name}", {"type": "rsa-2048"})
    absent = f"{transit}-absent"
    rules = "".join(POLICY.replace("rotator-audit", one) for one in (name, absent))
    client = client_with(real_vault, rules)
    for one in (name, absent):
        with pytest.raises(ConfigError, match="no Ed25519 key") as caught:
            transit_public(client, one)
        assert re.search("vault write -f transit/keys/", caught.value.fix)
    client.close()
