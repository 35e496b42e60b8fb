"""`hooks.published`: the program of an app, run after each publish. Its failure is told, and never rolls anything back.

It waits in the outbox like a notice: written in the transaction that made the publish known, so that neither a crash
between publish and hook nor a slow program matters to the rotation. It runs at least once per publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rotator import log
from rotator.domain.errors import ConfigError, Unavailable
from rotator.domain.event import Event
from rotator.domain.notice import Notice, Status, Topic, app_key
from rotator.domain.words import Outcome, Phase
from rotator.notify.process import Ran, run

LOG = log.get("notify")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Command:
    """The program with its arguments, and the seconds that it may take."""

    arguments: Sequence[str]
    limit: float


@dataclass(frozen=True, slots=True)
class Hook:
    """`command` knows an app's program (None: it has none any more), `record` writes a row into the trail, `tell`
    writes notices; `stopped` says that the process ends."""

    command: Callable[[str], Command | None]
    record: Callable[[Event, Notice], object]
    tell: Callable[[Iterable[Notice]], None]
    stopped: Callable[[], bool]
    monotonic: Callable[[], float]

    def send(self, notice: Notice) -> None:
        """Runs it. Raises Unavailable where we were told to stop before it ended: it is run again."""
        command = self.command(notice.app)
        if command is None:
            return
        try:
            ran = run(command.arguments, environment(notice), command.limit, self.stopped, self.monotonic)
        except ConfigError as error:
            self._ended(notice, Outcome.FAILED, error.message, {"program": command.arguments[0]})
            return
        LOG.info(log.Word.HOOK_RAN, exit=ran.status, duration_ms=round(ran.seconds * 1000), bytes_out=ran.bytes_out,
                 bytes_err=ran.bytes_err)  # fmt: skip
        if ran.stopped:
            raise Unavailable("the rotator was stopped while the hook ran", code="hook_stopped",
                              fix="nothing to do: it is run again")  # fmt: skip
        wrong = _wrong(command, ran)
        self._ended(notice, Outcome.FAILED if wrong else Outcome.OK, wrong, _evidence(command, ran, notice))

    def _ended(self, notice: Notice, outcome: Outcome, wrong: str, evidence: dict[str, object]) -> None:
        self.record(Event("publish", Phase.OBSERVE, outcome, error=wrong, evidence={"hook": evidence}), notice)
        status = Status.FIRING if wrong else Status.RESOLVED
        said = replace(
            Notice(Topic.HOOK, status, app_key(notice.app, Topic.HOOK), wrong or "the hook went well"),
            reason="hook_failed" if wrong else "", app=notice.app, org=notice.org, rotation_id=notice.rotation_id,
            vault_path=notice.vault_path, vault_version=notice.vault_version,
            fix="the new pair is live and stays so: tell its consumers by hand, and mend the program" if wrong else "",
        )  # fmt: skip
        self.tell([said])


def environment(notice: Notice) -> dict[str, str]:
    """All that the program gets: ids, and a PATH. Never a secret."""
    return {
        "PATH": PATH,
        "ROTATOR_APP": notice.app,
        "ROTATOR_ORG": notice.org,
        "ROTATOR_ROTATION_ID": notice.rotation_id,
        "ROTATOR_VAULT_PATH": notice.vault_path,
        "ROTATOR_VAULT_VERSION": str(notice.vault_version),
    }


def _wrong(command: Command, ran: Ran) -> str:
    """What went wrong, in words; "" where nothing did."""
    program = command.arguments[0]
    if ran.late:
        return f"{program} ran longer than {command.limit:g} s and was killed"
    if ran.status < 0:
        return f"{program} was ended by signal {-ran.status}"
    return f"{program} ended with status {ran.status}" if ran.status else ""


def _evidence(command: Command, ran: Ran, notice: Notice) -> dict[str, object]:
    return {"program": command.arguments[0], "exit_status": ran.status, "late": ran.late, "bytes_out": ran.bytes_out,
            "bytes_err": ran.bytes_err, "duration_ms": round(ran.seconds * 1000),
            "vault_version": notice.vault_version}  # fmt: skip
