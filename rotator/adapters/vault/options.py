"""How to reach a Vault and how to log in there: plain values that wiring fills from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotator.domain.secret import Secret

Reader = Callable[[], Secret]  # reads a secret file anew each time; raises ConfigError where it cannot


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """A token that somebody else (an agent) keeps fresh in a file: read again whenever Vault refuses it."""

    token: Reader


@dataclass(frozen=True, slots=True)
class AppRoleAuth:
    """AppRole. With `wrapped` the file holds a wrapping token, which gives the secret id once."""

    role_id: str
    secret_id: Reader
    wrapped: bool = False
    mount: str = "approle"


@dataclass(frozen=True, slots=True)
class JwtAuth:
    """A JSON web token of an identity provider."""

    role: str
    jwt: Reader
    mount: str = "jwt"


@dataclass(frozen=True, slots=True)
class KubernetesAuth:
    """The service account token of our pod."""

    role: str
    jwt: Reader
    mount: str = "kubernetes"


@dataclass(frozen=True, slots=True)
class CertAuth:
    """A TLS client certificate: absolute names of two PEM files. `role` may be empty: Vault tries all."""

    cert_file: str
    key_file: str
    role: str = ""
    mount: str = "cert"


Auth = TokenAuth | AppRoleAuth | JwtAuth | KubernetesAuth | CertAuth


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """`addresses`: origins of the servers of one cluster, tried in order. `needs_seconds`: how long a token must
    live when a rotation begins. `deadline`: seconds for one call. `ca_file`: absolute, "" for the system's only."""

    addresses: tuple[str, ...]
    auth: Auth
    mount: str = "secret"
    escrow_prefix: str = "rotator-escrow"
    namespace: str = ""
    ca_file: str = ""
    insecure: bool = False
    needs_seconds: float = 600.0
    deadline: float = 10.0
