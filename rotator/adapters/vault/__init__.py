"""HashiCorp Vault KV v2 over hvac: the live path, the escrow path, and five ways to log in.

`VaultClient(VaultOptions(...))` is one for the process; `VaultKv(client)` is the port that a rotation uses.
"""

from rotator.adapters.vault.client import VaultClient
from rotator.adapters.vault.kv import VaultKv
from rotator.adapters.vault.options import (
    AppRoleAuth,
    Auth,
    CertAuth,
    JwtAuth,
    KubernetesAuth,
    Reader,
    TokenAuth,
    VaultOptions,
)
from rotator.adapters.vault.settings import Finding
from rotator.adapters.vault.transit import transit_public, transit_sign

__all__ = [
    "AppRoleAuth",
    "Auth",
    "CertAuth",
    "Finding",
    "JwtAuth",
    "KubernetesAuth",
    "Reader",
    "TokenAuth",
    "VaultClient",
    "VaultKv",
    "VaultOptions",
    "transit_public",
    "transit_sign",
]
