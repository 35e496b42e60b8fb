"""Configuration: TOML files in, one checked and frozen value out (contract.md, Configuration).

`load` is the way in; `read_secret_file` opens the files that the settings name; `schema` describes them
to editors. pydantic is imported only when one of these is used, so that `rotator --version` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotator.config.app import AppConfig
    from rotator.config.loading import Loaded, digests, load, settings_hash, stated_database
    from rotator.config.models import Config
    from rotator.config.org import ClientCredentials, JwtBearer, OrgConfig
    from rotator.config.own import OwnApp
    from rotator.config.secrets import SecretPlaces, find_file, read_secret_file
    from rotator.config.vault import (
        AppRoleAuth,
        CertAuth,
        DatabaseConfig,
        JwtAuth,
        KubernetesAuth,
        TokenAuth,
        VaultConfig,
    )

_HOMES = {
    "AppConfig": "app",
    "AppRoleAuth": "vault",
    "CertAuth": "vault",
    "ClientCredentials": "org",
    "Config": "models",
    "DatabaseConfig": "vault",
    "JwtAuth": "vault",
    "JwtBearer": "org",
    "KubernetesAuth": "vault",
    "Loaded": "loading",
    "OrgConfig": "org",
    "OwnApp": "own",
    "SecretPlaces": "secrets",
    "TokenAuth": "vault",
    "VaultConfig": "vault",
    "digests": "loading",
    "find_file": "secrets",
    "load": "loading",
    "read_secret_file": "secrets",
    "settings_hash": "loading",
    "stated_database": "loading",
}

__all__ = [
    "AppConfig",
    "AppRoleAuth",
    "CertAuth",
    "ClientCredentials",
    "Config",
    "DatabaseConfig",
    "JwtAuth",
    "JwtBearer",
    "KubernetesAuth",
    "Loaded",
    "OrgConfig",
    "OwnApp",
    "SecretPlaces",
    "TokenAuth",
    "VaultConfig",
    "digests",
    "find_file",
    "load",
    "read_secret_file",
    "schema",
    "settings_hash",
    "stated_database",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, for `rotator config schema` and for editors."""
    from rotator.config.models import Config

    described = Config.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": "rotator"}
