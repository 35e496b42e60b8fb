"""Classic connected apps: whether an API rotates one, or a person."""

from __future__ import annotations

from rotator.config import AppConfig
from rotator.domain.errors import ConfigError
from rotator.domain.pair import Consumer
from rotator.wiring.connections import Connections

FACT = "classic_has_staged_api"


def find_classic(connections: Connections, app: AppConfig) -> Consumer:
    """The app as the org has it; `assisted` where no API serves its pair. Raises ConfigError where it is not found
    exactly once, or where the configuration states that an API rotates a classic app, and the org knows none."""
    found = connections.org(app.org).find_classic(app.app)
    if found.assisted and connections.config.orgs[app.org].stated_facts().get(FACT) == "yes":
        raise ConfigError(f"{app.app} is no app that the credentials resources know",
                          fix=f"take {FACT} out of [orgs.{app.org}.facts]: a person rotates it then",
                          where=f"orgs.{app.org}.facts.{FACT}")  # fmt: skip
    return found
