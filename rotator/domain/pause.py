"""A pause of routine work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a pause is of."""

    APP = "app"
    ORG = "org"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing new is begun by itself in its scope; what is open goes on, and a person may still rotate.

    `name` is "" for everything; `until` None: until somebody resumes.
    """

    scope: Scope
    name: str
    actor: str
    reason: str
    since: datetime
    until: datetime | None = None

    def covers(self, app: str, org: str) -> bool:
        """Whether this app of this org is paused by it."""
        return {Scope.APP: self.name == app, Scope.ORG: self.name == org, Scope.ALL: True}[self.scope]

    def in_force(self, now: datetime) -> bool:
        """Whether it has not ended by itself."""
        return self.until is None or now < self.until

    def __str__(self) -> str:
        """In words: whose, why, until when."""
        what = {Scope.APP: "", Scope.ORG: f" with the org {self.name}", Scope.ALL: " with everything"}[self.scope]
        until = f" until {self.until.astimezone(UTC):%Y-%m-%d %H:%M}Z" if self.until else ""
        return f"paused{what} by {self.actor}{until}" + (f": {self.reason}" if self.reason else "")


def pause_of(pauses: Iterable[Pause], app: str, org: str) -> Pause | None:
    """The pause that covers this app: the widest, if there are several."""
    order = list(Scope)
    return max((p for p in pauses if p.covers(app, org)), key=lambda p: order.index(p.scope), default=None)
