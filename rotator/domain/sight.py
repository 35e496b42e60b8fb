"""What the org shows of an incident before anything is changed: evidence, without a secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MOST_ROWS = 50  # of one kind: a row of the trail stays small, and `total` says how many there were


class Kind(StrEnum):
    """What is looked at, each by reads of its own."""

    SESSIONS = "sessions"  # who is logged in through the app
    LOGINS = "logins"  # LoginHistory of the run-as user
    TOKENS = "tokens"  # what usage and OauthToken list
    CHANGES = "changes"  # SetupAuditTrail: what was changed in the org
    RIGHTS = "rights"  # the run-as user, its profile and permission sets
    APPS = "apps"  # the External Client Apps, and the policies of this one


AT_ONCE = (Kind.SESSIONS, Kind.LOGINS, Kind.TOKENS, Kind.CHANGES)
"""What is looked at before the first change: it may be gone later. The rest is asked when the package is made."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen. `total`: how many rows there were; `rows`: the newest of them, as plain text values."""

    kind: Kind
    total: int = 0
    rows: tuple[Mapping[str, str], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)  # of all rows: logins by source, changes by action
    complete: bool = True
    notes: tuple[str, ...] = ()  # what could not be seen, in words
