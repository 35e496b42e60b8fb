"""`[vault]` and `[database]`: where the rotator keeps things."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, ValidationInfo, WithJsonSchema, field_validator

from rotator.config.base import FileName, Needed, NeededFile, Table, Text, VaultPath, option
from rotator.config.hosts import database_url, origin

KUBERNETES_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a file name


class DatabaseConfig(Table):
    """`[database]`."""

    url: Text = option(
        "sqlite:////var/lib/rotator/rotator.db",
        about="SQLite file (absolute path: four slashes) or `postgresql+psycopg://user@host/name`, never with a"
        " password. The default lies in `state_dir`",
    )
    password_file: FileName = option("", about="file with the PostgreSQL password", example="postgres-password")

    _url = field_validator("url")(database_url)


class TokenAuth(Table):
    """A Vault token from a file, read again when the file changes."""

    method: Literal["token"]
    token_file: NeededFile = option(about="file with the token", example="vault-token")


class AppRoleAuth(Table):
    """Vault AppRole."""

    method: Literal["approle"]
    role_id: Needed = option(about="the role's id, which is no secret", example="b5a3c0d2-0000-0000-0000-000000000000")
    secret_id_file: NeededFile = option(about="file with the secret id", example="vault-secret-id")
    wrapped: StrictBool = option(False, about="true: the file holds a wrapping token, unwrapped once at start")
    mount: VaultPath = option("approle", about="where the method is mounted")


class JwtAuth(Table):
    """Vault JWT login."""

    method: Literal["jwt"]
    role: Needed = option(about="the role to log in as", example="rotator")
    jwt_file: NeededFile = option(about="file with the token of the identity provider", example="vault-jwt")
    mount: VaultPath = option("jwt", about="where the method is mounted")


class KubernetesAuth(Table):
    """Vault Kubernetes login with the pod's service account."""

    method: Literal["kubernetes"]
    role: Needed = option(about="the role to log in as", example="rotator")
    jwt_file: NeededFile = option(KUBERNETES_TOKEN, about="file with the service account's token")
    mount: VaultPath = option("kubernetes", about="where the method is mounted")


class CertAuth(Table):
    """Vault login by TLS client certificate."""

    method: Literal["cert"]
    cert_file: NeededFile = option(about="PEM certificate", example="vault-client.pem")
    key_file: NeededFile = option(about="PEM private key", example="vault-client.key")
    role: Text = option("", about="the certificate role; empty: Vault tries all", example="rotator")
    mount: VaultPath = option("cert", about="where the method is mounted")


VaultAuth = Annotated[TokenAuth | AppRoleAuth | JwtAuth | KubernetesAuth | CertAuth, Field(discriminator="method")]


def _many(written: Any) -> Any:
    return [written] if isinstance(written, str) else written


Addresses = Annotated[
    tuple[Text, ...],
    BeforeValidator(_many),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class VaultConfig(Table):
    """`[vault]`."""

    insecure: StrictBool = option(False, about="true permits http, for tests")
    address: Addresses = option(
        about="the server, or a list of servers of one cluster, tried in turn",
        example="https://vault.example.com:8200",
    )
    mount: VaultPath = option("secret", about="the KV v2 mount")
    escrow_prefix: VaultPath = option("rotator-escrow", about="below it lie the paths only the rotator may read")
    namespace: Text = option("", about="Vault Enterprise namespace", example="team/integration")
    ca_file: FileName = option("", about="PEM certificates, added to the system's", example="vault-ca.pem")
    auth: VaultAuth = option(
        about="how to log in: token, approle, jwt, kubernetes or cert",
        example={"method": "approle", "role_id": "...", "secret_id_file": "vault-secret-id"},
    )

    @field_validator("address")
    @classmethod
    def _origins(cls, addresses: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not addresses:
            raise ValueError("names no server")
        origins = tuple(origin(address, insecure=info.data.get("insecure") is True) for address in addresses)
        if len(set(origins)) != len(origins):
            raise ValueError("names a server twice")
        return origins
