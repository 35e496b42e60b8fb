"""What the sweep sees of an app between its rotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Sight(StrEnum):
    """What a look came to."""

    OK = "ok"
    DRIFT = "drift"  # the world is not as it should be
    BLIND = "blind"  # it could not look, which is never a pass


MOVED = "ORG-2"  # the look by which an org is another than before: it holds the whole org


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at one app, or at an org. `what` names the picture: the same one is told once. `since`: when it was seen
    so for the first time. `quiet`: told only where it is other than at the first look."""

    look: str
    state: Sight = Sight.OK
    what: str = ""
    words: str = ""
    fix: str = ""
    since: datetime | None = None
    quiet: bool = False

    def against(self, state: str, what: str) -> Sighting:
        """The same, after an earlier look of this state and picture ("": it is the first): a quiet one that is as it
        was is fine. One that could not be seen at first, or was worth a warning, may stay so."""
        if not self.quiet or self.state is Sight.OK or state not in ("", Sight.OK):
            return self
        as_it_was = not state or what == self.what or (self.state is Sight.BLIND and what != "")
        return replace(self, state=Sight.OK, what=what or self.what) if as_it_was else self


def everything(org: str) -> str:
    """The place of what is seen of a whole org, beside its apps: no app has such a name."""
    return f"{org}/*"


@dataclass(frozen=True, slots=True)
class Own:
    """A pair of ours: its key, the rotation that minted it and how that stands, when it became the app's only pair."""

    key: str
    rotation_id: str
    state: str
    ruled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A pair of somebody else that a person took as it is (`adopt`): its key, and when."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Turned:
    """The last word on an app's OAuth switch. `rotation_id`: of the rotation whose step it was; "": a command's."""

    step: str  # block or unblock
    rotation_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger knows of an app's pairs."""

    own: tuple[Own, ...] = ()  # newest first
    lost_post: str = ""  # the last rotation, where the outcome of its POST never became known
    turned: Turned | None = None  # None: we never touched the app's OAuth switch
    taken: Taken | None = None  # the last adoption

    @property
    def ruling(self) -> str:
        """The key of the pair that the last good rotation made primary, or a later adoption took; "" where there was
        none."""
        last = next((pair for pair in self.own if pair.ruled), None)
        if self.taken is not None and (last is None or last.ruled is None or last.ruled < self.taken.at):
            return self.taken.key
        return last.key if last is not None else ""

    def author(self, key: str) -> Own | None:
        """Our rotation that minted this pair; None for somebody else's."""
        return next((pair for pair in self.own if pair.key == key), None)
