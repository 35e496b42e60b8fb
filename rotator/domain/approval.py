"""What waits for a second person: the request, how long it holds, and who may approve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.domain.rotation import Who

VALID = timedelta(minutes=15)  # from asking to approving, and from approving to acting
FORCE = "force"


@dataclass(frozen=True, slots=True)
class Subject:
    """An app that a request is about, and its org."""

    app: str
    org: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `what` is all that was asked for: the same asked again is the same request."""

    id: str
    action: str  # force
    what: Mapping[str, object]
    who: Who  # who asked; with the approver once there is one
    asked_at: datetime
    until: datetime
    approved_at: datetime | None = None
    since: datetime | None = None  # from when on evidence is looked up, as the one who asked said; no part of `what`

    def holds(self, now: datetime) -> bool:
        """Whether it can still be approved, or acted on."""
        return now < self.until

    @property
    def subjects(self) -> Sequence[Subject]:
        """The apps that it is about."""
        apps = self.what.get("apps")
        return [Subject(str(name), str(org)) for name, org in apps.items()] if isinstance(apps, Mapping) else []


@dataclass(frozen=True, slots=True)
class No:
    """Why something is refused: a code of docs/runbook.md, words, and the next action."""

    code: str
    message: str
    fix: str


def why_not(request: Request, approver: Who, now: datetime) -> No | None:
    """What speaks against this person's approval now; None: nothing."""
    if request.who.same_person(approver):
        return No("approval_own", f"{approver.actor} {_as(request.who, approver)}asked for it and cannot approve it",
                  f"another person runs `rotator approve {request.id}`; alone: --break-glass, which is reviewed later")
    if not request.holds(now):
        return No("approval_expired", f"the request ended at {request.until:%H:%M:%S}Z, and nothing was done",
                  "give the command again: it makes a new request")
    return None


def _as(asked: Who, approver: Who) -> str:
    return "" if asked.actor == approver.actor else f"is {asked.actor} by uid, who "
