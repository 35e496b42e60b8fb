"""The vocabulary that row, trail, command line and tests share (contract.md: Database, JSON)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """State of a rotation (protocol section 1)."""

    RUNNING = "running"
    OVERLAP = "overlap"  # published, the old pair is still valid
    WAITING = "waiting"  # something is down; goes on by itself
    HELD = "held"  # needs a human; goes on after `release`
    UNPROVEN = "unproven"  # all done but not proven; keeps proving
    DONE = "done"
    ABANDONED = "abandoned"
    FAILED = "failed"  # ended before the pivot, everything as it was


ENDED = (State.DONE, State.ABANDONED, State.FAILED)


class Trigger(StrEnum):
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    FORCE = "force"


class Goal(StrEnum):
    ROTATE = "rotate"
    ABANDON = "abandon"


class Word(StrEnum):
    """What a person says to an assisted rotation; the values are the steps under which it stands in the trail."""

    RECEIVE = "receive"  # hands over a new pair
    REPLACE = "replace"  # hands over another one in its place
    APPLIED = "await_apply"  # has clicked Apply


class Phase(StrEnum):
    """What an audit row tells."""

    INTENT = "intent"  # committed before a change outside
    OUTCOME = "outcome"  # what came of it
    OBSERVE = "observe"  # something seen that mattered
    DECISION = "decision"


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    HELD = "held"


class Claim(StrEnum):
    """How far a claim of protocol section 5 is."""

    PROVEN = "proven"
    UNKNOWN = "unknown"
    FAILED = "failed"
    NOT_ASKED = "not_asked"


class Why(StrEnum):
    """Why an app is begun now, or is not: the words of `status`, and the labels of metrics."""

    NEVER = "never_rotated"
    INTERVAL = "interval"
    CRON = "cron"
    MAX_AGE = "max_age"
    SPREAD = "jitter"  # its turn within the jitter has not come
    WINDOW = "window"
    MISSED = "missed_window"
    CATCH_UP = "catch_up"  # after an outage
    CLOCK = "clock_set_back"
    BACKOFF = "backoff"  # its last rotations came to nothing
    LIMIT = "limit"  # its org takes no more now
    PAUSED = "paused"
    DISABLED = "disabled"
    UNCONFIGURED = "unconfigured"
    RUNNING = "running"  # this and the next four: its open rotation's state
    OVERLAP = "overlap"
    WAITING = "waiting"
    HELD = "held"
    UNPROVEN = "unproven"


CLAIMS = ("refused", "tokens", "vault", "slot")

# The names a step may have in the trail (contract.md: Database).
STEP_NAMES = (
    "settle", "restore", "hold", "clear", "stage", "discard", "escrow", "canary", "verify", "publish", "promote",
    "overlap", "retire", "refused", "revoke", "destroy", "prove", "close",
    "fence", "abandon", "block", "unblock", "request", "receive", "await_apply", "force", "release", "pause",
    "resume", "approve", "review", "refused_command", "read", "anchor", "adopt", "drift", "calibrate", "check",
    "lease", "config", "prune", "legal_hold",
)  # fmt: skip
