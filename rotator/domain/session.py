"""Logins, and what a login leaves behind in Salesforce: tokens and sessions (reference sections 1, 3, 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class Login:
    """The answer to a token request: accepted with a token, or a clear `invalid client`. Anything else is an error."""

    accepted: bool
    token: Secret | None = None
    org_id: str = ""
    user_id: str = ""
    self_contained: bool = False  # a JWT: lives until it expires, whatever happens to its session
    at: datetime | None = None  # the org's time, from its Date header


class Probe(StrEnum):
    """What one real call with a token said (reference 3.1: 401 INVALID_SESSION_ID is death, 403 is not)."""

    ALIVE = "alive"
    DEAD = "dead"


class Lever(StrEnum):
    """The ways to end what a login left behind, in the order in which they are used (reference 4.5)."""

    USAGE = "usage"
    OAUTHTOKEN = "oauthtoken"
    AUTHSESSION = "authsession"


@dataclass(frozen=True, slots=True)
class Grant:
    """Something that can be ended: a usage token, an OauthToken row, or an AuthSession."""

    lever: Lever
    ref: str  # public: may stand in the trail
    handle: Secret  # what the lever is given; for a DeleteToken this is a secret
    user_id: str
    created: datetime | None  # None counts as before any refusal
    own: bool = False  # the rotator's own session: never ended


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds tokens of an app. `complete` is false where a listing refused the look or showed only a part."""

    users: tuple[str, ...] = ()
    run_as: str = ""  # whom the app's policies let the flow run as; "": not shown
    complete: bool = True
    notes: tuple[str, ...] = ()  # why, in words


@dataclass(frozen=True, slots=True)
class Listing:
    """What the listings showed. `complete` is false where a cap or a count says that rows are missing."""

    grants: tuple[Grant, ...] = ()
    complete: bool = True
    blind: frozenset[Lever] = frozenset()  # levers that could not be looked through
    notes: tuple[str, ...] = ()  # why, in words


@dataclass(frozen=True, slots=True)
class Usage:
    """The org's API requests of 24 hours, as its answers count them (`Sforce-Limit-Info`, reference section 7)."""

    used: int
    most: int
    read_at: float  # by the monotonic clock of this process
