"""Every error the rotator raises, named by what to do next.

Each class is documented once, here. An error carries the message (what is wrong), the fix (the next action of the
user), a stable code for programs, and what the far side said of itself: HTTP status and request id. Never a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class RotatorError(Exception):
    """Base of all our errors."""

    exit_code = 1
    code = "error"
    fix = "see the message; run again with --log-level debug for the steps that led here"

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        code: str = "",
        where: str = "",
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix or type(self).fix
        self.code = code or type(self).code
        self.where = where
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after = retry_after  # seconds, as a far side that is busy asked


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in the configuration: where it stands, what is wrong, and how it looks right."""

    file: str
    line: int | None
    key: str
    message: str
    example: str = ""


class ConfigError(RotatorError):
    """The configuration or the arguments are wrong; nothing was done. Correct what is named and run again."""

    exit_code = 2
    code = "config"
    fix = "correct the key that is named and run `rotator config check`"

    def __init__(self, message: str, *, mistakes: tuple[Mistake, ...] = (), fix: str = "", where: str = "") -> None:
        super().__init__(message, fix=fix, where=where)
        self.mistakes = mistakes


class OtherHost(RotatorError):
    """Another machine uses this SQLite file; nothing was done. SQLite serves one machine."""

    exit_code = 2
    code = "second_host"
    fix = "stop the rotator on the other machine, or use PostgreSQL for both"


class UsageError(RotatorError):
    """The command line asks for something that does not exist or cannot be; nothing was done."""

    exit_code = 2
    code = "usage"
    fix = "see `rotator --help`"


class Refused(RotatorError):
    """The far side said a clear no: nothing was changed there. Do what the fix says, then run again."""

    code = "refused"
    fix = "mend what the far side names, then run again"


class NotFound(Refused):
    """A clear 404: what was asked for is not there."""

    code = "not_found"
    fix = "check the name or id in the configuration"


class SlotTaken(Refused):
    """The consumer's staged slot holds a pair that is not ours."""

    code = "slot_taken"
    fix = "find out who staged it; then `rotator release APP --discard-foreign FINGERPRINT`, or delete it in Setup"


class CasMismatch(Refused):
    """Vault's version moved since we read it: somebody else wrote. Look again before writing."""

    code = "check_and_set"
    fix = "nothing to do: the rotator looks again; if it holds, see who else writes this path"


class Unavailable(RotatorError):
    """The far side is down, busy or throttling; nothing was changed. Try again later."""

    exit_code = 75
    code = "unavailable"
    fix = "wait: the rotator tries again by itself"


class OutcomeUnknown(RotatorError):
    """A change was sent and no clear answer came: it may have happened, or may yet. Look before anything else."""

    exit_code = 75
    code = "outcome_unknown"
    fix = "run the command again: it looks first, and never repeats a change blindly"


class ApprovalNeeded(RotatorError):
    """A second person must approve first; nothing was done. `request` is the id that the fix names."""

    exit_code = 3
    code = "approval"

    def __init__(self, request: str, org: str) -> None:
        super().__init__("a second person must approve it within 15 minutes; nothing was done yet",
                         fix=f"another person runs `rotator approve {request}`; then give the command again")
        self.request, self.org = request, org


class Unintelligible(RotatorError):
    """The far side answered something that we do not understand. Stop and let a human look."""

    exit_code = 3
    code = "unintelligible"
    fix = "compare the answer with the vendor's documentation; then `rotator release APP`"


class InvariantBroken(RotatorError):
    """A promise of the protocol does not hold. Everything stops: this is a defect, or somebody acts against us."""

    exit_code = 3
    code = "invariant_broken"
    fix = "stop the daemon, keep the database, and follow docs/runbook.md"


class LedgerUnavailable(Unavailable):
    """The database did not take a row. Without a durable intent nothing is changed; run again when it answers."""

    code = "database_unavailable"
    fix = "bring the database back; the next start reads the truth from Salesforce and Vault"


class LeaseTaken(Unavailable):
    """Another worker is at this consumer."""

    code = "lease_taken"
    fix = "another rotator is working on this app; watch it with `rotator status`"


class Stale(RotatorError):
    """Our lease has gone to another worker: this worker stops and changes nothing more."""

    exit_code = 75
    code = "stale"
    fix = "another rotator has taken over; watch it with `rotator status`"


class Superseded(RotatorError):
    """A force or an abandon was committed since our look: look again."""

    code = "superseded"
    fix = "nothing to do: the newer request wins"


def must(value: T | None, what: str) -> T:
    """The value, where the protocol says that it is there. Raises InvariantBroken where it is not."""
    if value is None:
        raise InvariantBroken(f"{what} is missing where the protocol says that it is there")
    return value
