"""The apps of an org as its listings name them: none of them knows all (docs/discover.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """A listing, in the order in which they are read: those that know ids come first."""

    APPS = "ExternalClientApplication"
    USAGE = "usage"
    CLASSIC = "ConnectedApplication"
    METADATA = "metadata"
    POLICIES = "policies"
    TOKENS = "OauthToken"
    LOGINS = "LoginHistory"


class AppKind(StrEnum):
    """What an app is, in the words of the configuration."""

    EXTERNAL = "external_client_app"
    CLASSIC = "connected_app"
    UNKNOWN = "unknown"  # seen by its tokens or logins alone


class Owner(StrEnum):
    """Whose the app is."""

    OURS = "ours"
    VENDOR = "vendor"  # installed from a package: its pair is the publisher's
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """How an app stands to the configuration, the pressing ones first."""

    DRIFTED = "drifted"  # managed, but org, live path and record do not name one key
    VANISHED = "vanished"  # configured, and not in the org
    UNMANAGED = "unmanaged"
    MANAGED = "managed"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Mention:
    """One app as one listing names it; what the listing does not tell is empty. `namespace` None: not told; "": none.
    `alone`: it is an app although no other listing knows it."""

    source: Source
    kind: AppKind = AppKind.UNKNOWN
    app_id: str = ""
    name: str = ""  # developer name
    label: str = ""
    namespace: str | None = None
    used: datetime | None = None
    user: str = ""  # whom its flow runs as, or who holds a token
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """One app of the union. `holder`: a user who holds tokens of it, where no policy tells whom it runs as."""

    number: int
    kind: AppKind
    app_id: str
    name: str
    label: str
    namespace: str | None
    run_as: str
    holder: str
    used: datetime | None
    sources: tuple[Source, ...]

    @property
    def owner(self) -> Owner:
        """An org's own apps have no namespace. Raises nothing."""
        if self.namespace is None:
            return Owner.UNKNOWN
        return Owner.VENDOR if self.namespace else Owner.OURS
