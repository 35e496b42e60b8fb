"""Signing by Vault's transit engine: the key never leaves Vault, and Vault's own log has each signature."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from rotator.adapters.vault.call import Reply
from rotator.adapters.vault.client import VaultClient
from rotator.domain.errors import ConfigError, OutcomeUnknown, Unavailable

_MAKE = "vault secrets enable transit; vault write -f transit/keys/{} type=ed25519"
_VERSIONED = "vault:v"  # in front of each signature stands the version of the key that made it


def transit_sign(client: VaultClient, key: str, data: bytes) -> str:
    """The signature by the newest version of the key, base64. Raises as every call to Vault, and Unavailable where no
    clear answer came: a signature changes nothing."""
    try:
        # Not hvac's sign_data and read_key: its stubs leave them untyped, and they do no more than this.
        asked = {"input": base64.b64encode(data).decode()}
        reply: Reply = client.hvac.adapter.post(f"/v1/transit/sign/{key}", json=asked)
    except OutcomeUnknown as error:
        raise Unavailable(error.message) from None
    signature = str(reply.data.get("signature", ""))
    if not signature.startswith(_VERSIONED) or signature.count(":") != 2:
        raise ConfigError(f"Vault does not sign with transit key {key}", fix=f"`{_MAKE.format(key)}`",
                          where="audit.transit_key")  # fmt: skip
    return signature.rpartition(":")[2]


def transit_public(client: VaultClient, key: str) -> bytes:
    """The 32 bytes of the newest version's public key. Raises ConfigError where it is no Ed25519 key."""
    reply: Reply = client.hvac.adapter.get(f"/v1/transit/keys/{key}")
    keys = reply.data.get("keys")
    newest = keys.get(str(reply.data.get("latest_version"))) if isinstance(keys, Mapping) else None
    try:
        raw = base64.b64decode(str(newest["public_key"]), validate=True) if isinstance(newest, Mapping) else b""
    except (KeyError, binascii.Error):
        raw = b""
    if len(raw) != 32:
        raise ConfigError(f"transit key {key} is no Ed25519 key of Vault", fix=f"`{_MAKE.format(key)}`",
                          where="audit.transit_key")  # fmt: skip
    return raw
