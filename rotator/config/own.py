"""The rotator's own pairs as apps: `ORG/admin` and `ORG/spare`, each rotated by the other identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from rotator.config.app import AppConfig
from rotator.config.base import Text, option
from rotator.config.models import Config
from rotator.config.org import ClientCredentials, OrgConfig

Identity = Literal["admin", "spare"]
OTHER: Mapping[str, Identity] = {"admin": "spare", "spare": "admin"}


class OwnApp(AppConfig):
    """One of the rotator's own pairs. Made from its login, never written in the configuration."""

    app: Text = option("", about="empty: looked for by its key")
    identity: Identity = option(about="whose pair it is")


def own_apps(config: Config) -> Mapping[str, OwnApp]:
    """The own pairs that the other identity can rotate: of every org with a `spare`, those that lie in Vault. No app of
    the configuration has a slash in its name."""
    return {f"{org}/{one.identity}": one for org, told in config.orgs.items() for one in _of_org(org, told)}


def _of_org(org: str, told: OrgConfig) -> Iterator[OwnApp]:
    identities: Mapping[Identity, object] = {"admin": told.admin, "spare": told.spare}
    for identity, login in identities.items():
        if told.spare is not None and isinstance(login, ClientCredentials) and login.vault_path is not None:
            one = OwnApp(org=org, identity=identity, vault_path=login.vault_path, schedule=told.own.schedule,
                         max_age=told.own.max_age, overlap=told.own.overlap)  # fmt: skip
            yield one.model_copy(update={"app": login.app})


def split(name: str) -> tuple[str, str]:
    """Org and identity of such a name; two empty texts where it is none."""
    org, slash, identity = name.partition("/")
    return (org, identity) if slash and identity in OTHER else ("", "")
