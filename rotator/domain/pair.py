"""Pairs and the places where they stand: primary, slot, live path, escrow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rotator.domain.secret import Secret


def fingerprint(key: str) -> str:
    """The first 16 hex digits of SHA-256 of a consumer key, which is a public id (contract.md: Database)."""
    return hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A consumer key and its secret; `secret` is None where we were not told it."""

    key: str
    secret: Secret | None = None


class SlotState(StrEnum):
    """State of a staged pair (reference 6.5: compared case-insensitively; anything else is UNKNOWN: stop)."""

    ACTIVE = "Active"
    ROTATED = "Rotated"
    EXPIRED = "Expired"
    UNKNOWN = "?"


class Author(StrEnum):
    """Who created a staged pair, where Salesforce says so (fact `created_by_given`)."""

    US = "us"
    THEM = "them"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Staged:
    """An entry of the staged slot. Its id may change at a promote: match by key (invariant 6)."""

    id: str
    pair: Pair
    state: SlotState
    author: Author = Author.UNKNOWN
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consumer:
    """One consumer of one app in one org, as Salesforce names them."""

    org_id: str
    app_id: str
    consumer_id: str
    app_name: str = ""  # developer name
    label: str = ""  # LoginHistory and OauthToken know the app by it
    siblings: int = 0  # other consumers of the same app
    assisted: bool = False  # a classic connected app: no API shows or changes its pairs, a person does


@dataclass(frozen=True, slots=True)
class Target:
    """Where in Vault a credential lies, and under which field names."""

    path: str
    key_field: str
    secret_field: str
    login_url: str
    escrow_name: str  # the app's name in the configuration


@dataclass(frozen=True, slots=True)
class Credential:
    """The content of a version of the live path. `other` holds the fields that are not ours: kept as they are.
    `rotated_at` is as the version says; "" in a new credential: the adapter fills it in."""

    pair: Pair
    rotation_id: str = ""
    other: Mapping[str, object] = field(default_factory=dict, repr=False)
    rotated_at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Live:
    """What a read of the live path said. `number` is the newest version's (0: the path does not exist);
    `credential` is None where it is absent, deleted, or an empty version of our own fence."""

    number: int
    credential: Credential | None = None

    @property
    def key(self) -> str:
        return self.credential.pair.key if self.credential else ""


@dataclass(frozen=True, slots=True)
class EscrowContent:
    """What the escrow path keeps for a rotation: the new pair, old pairs, and the canary token."""

    rotation_id: str
    new: Pair | None
    olds: tuple[Pair, ...] = ()
    canary: Secret | None = None

    def find(self, key: str) -> Pair | None:
        pairs = (*((self.new,) if self.new else ()), *self.olds)
        return next((p for p in pairs if p.key == key), None)


@dataclass(frozen=True, slots=True)
class Escrow:
    """What a read of the escrow path said; `content` is None where it is absent, destroyed or deleted. An empty
    version of our fence has content without pairs: it still must be destroyed."""

    number: int
    content: EscrowContent | None = None
