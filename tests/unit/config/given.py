"""Small configurations to start a test from."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from rotator import config
from rotator.domain.errors import ConfigError, Mistake

VAULT = """
[vault]
address = "https://vault.example.com:8200"
auth = { method = "token", token_file = "vault-token" }
"""
ORG = """
[orgs.acme]
host = "https://acme.my.salesforce.com"
admin = { grant = "client_credentials", vault_path = "salesforce/acme/rotator" }
"""
APP = """
[apps.billing]
org = "acme"
app = "Billing_Sync"
vault_path = "salesforce/acme/billing"
"""


def write(folder: Path, text: str, name: str = "rotator.toml") -> Path:
    """Write a configuration file and say where."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))
    return file


def loaded(folder: Path, text: str = "", env: Mapping[str, str] | None = None) -> config.Loaded:
    """Load what is good: Vault and org are there already, `text` comes below."""
    return config.load(write(folder, VAULT + ORG + text), env or {})


def mistakes(file: Path) -> tuple[Mistake, ...]:
    """Load what is bad, and give what was found."""
    try:
        config.load(file, {})
    except ConfigError as error:
        return error.mistakes
    raise AssertionError("nothing was found wrong")


def said(folder: Path, text: str) -> dict[str, str]:
    """What is said of each key of a bad configuration (Vault and org are there already and good)."""
    return {m.key: m.message for m in mistakes(write(folder, VAULT + ORG + text))}
