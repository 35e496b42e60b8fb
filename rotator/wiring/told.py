"""What programs are told: the JSON shapes and exit codes of contract.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from rotator.domain.errors import ApprovalNeeded, ConfigError, RotatorError
from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation
from rotator.domain.words import CLAIMS, Claim, State
from rotator.wiring.errand import Until

Json = dict[str, object]
DONE, FAILED, WRONG, HUMAN, LATER = 0, 1, 2, 3, 75
ORDER = (WRONG, HUMAN, FAILED, LATER, DONE)  # of several apps, the first that occurs counts
DRY_RUN = "dry_run"
ROTATION = (
    "rotation_id", "parent_id", "app", "org", "trigger", "state", "step", "reason", "message", "fix", "old_key_fp",
    "new_key_fp", "vault_path", "vault_version", "started_at", "ended_at", "overlap_until", "next_at", "claims",
)  # fmt: skip


class Driven(Protocol):
    """An app that a command drove: an errand, or what became of one."""

    @property
    def app(self) -> str: ...
    @property
    def row(self) -> Rotation | None: ...
    @property
    def error(self) -> RotatorError | None: ...
    @property
    def until(self) -> Until: ...
    @property
    def undoes(self) -> bool: ...


def exit_of(errands: Iterable[Driven]) -> int:
    """The exit code of a command that drove these."""
    return first_of(code for errand in errands for code in _codes(errand))


def first_of(codes: Iterable[int]) -> int:
    """The one that counts among several; 0 where there is none."""
    found = set(codes)
    return next((code for code in ORDER if code in found), DONE)


def _codes(errand: Driven) -> list[int]:
    if errand.error is not None:
        return [errand.error.exit_code]
    return [LATER if errand.row is None else code_of(errand.row, errand.until, undoes=errand.undoes)]


def code_of(row: Rotation, until: Until, *, undoes: bool = False) -> int:
    """The exit code of one rotation, as a command ends with it; `undoes`: it was to be abandoned."""
    if row.state is State.ABANDONED:
        return DONE if undoes or row.reason == DRY_RUN else FAILED
    if row.state is State.OVERLAP:
        return DONE if until is Until.OVERLAP else LATER
    codes = {State.DONE: DONE, State.FAILED: FAILED, State.HELD: HUMAN, State.UNPROVEN: HUMAN}
    return codes.get(row.state, LATER)


def rotation(row: Rotation) -> Json:
    """One rotation, as JSON."""
    return {
        "rotation_id": row.id,
        "parent_id": row.parent_id or None,
        "app": row.app,
        "org": row.org,
        "trigger": row.trigger.value,
        "state": row.state.value,
        "step": row.step or None,
        "reason": row.reason or None,
        "message": row.message or None,
        "fix": row.fix or None,
        "old_key_fp": fingerprint(row.old_keys[0]) if row.old_keys else None,
        "new_key_fp": fingerprint(row.new_key) or None,
        "vault_path": row.target.path,
        "vault_version": row.published_version or None,
        "started_at": moment(row.started_at),
        "ended_at": moment(row.ended_at),
        "overlap_until": moment(row.overlap_until),
        "next_at": moment(row.next_at),
        "claims": claims(row),
    }


def _unapproved(app: str, error: ApprovalNeeded) -> Json:
    """What stands in the place of a rotation that a second person must approve first: nothing was opened."""
    known: Json = {
        "app": app, "org": error.org, "trigger": "force", "state": State.HELD.value, "step": "approve",
        "reason": error.code, "message": error.message, "fix": error.fix, "request_id": error.request,
        "exit": error.exit_code, "claims": dict.fromkeys(CLAIMS, Claim.UNKNOWN.value),
    }  # fmt: skip
    return {**dict.fromkeys(ROTATION), **known}


def claims(row: Rotation) -> Json:
    """How far each claim of protocol section 5 is. What an undone rotation would have claimed is not asked."""
    rest = Claim.NOT_ASKED if row.state in (State.ABANDONED, State.FAILED) else Claim.UNKNOWN
    return {name: row.claims.get(name, rest).value for name in CLAIMS}


def rotations(errands: Sequence[Driven], skipped: Sequence[Mapping[str, object]] = ()) -> Json:
    """The document of `rotate` and its kin. Without any rotation, but with errors: the document of an error."""
    code = exit_of(errands)
    rows = [{**rotation(e.row), "exit": code_of(e.row, e.until, undoes=e.undoes)} for e in errands if e.row is not None]
    waiting = [e for e in errands if isinstance(e.error, ApprovalNeeded)]
    rows += [_unapproved(e.app, e.error) for e in waiting if isinstance(e.error, ApprovalNeeded)]
    told = [{"app": e.app, **one} for e in errands if e not in waiting for one in errors_of(e.error)]
    idle = [e.app for e in errands if e.row is None and e.error is None]
    document: Json = {"ok": code == DONE, "exit": code, "rotations": rows, "skipped": list(skipped), "not_begun": idle}
    return {**document, "errors": told} if told else document


def failure(error: RotatorError) -> Json:
    """The document of an error."""
    return {"ok": False, "exit": error.exit_code, "errors": errors_of(error)}


def errors_of(error: RotatorError | None) -> list[Json]:
    """An error as its list: one entry, or one per mistake of a configuration."""
    if error is None:
        return []
    if isinstance(error, ConfigError) and error.mistakes:
        return [
            {"code": error.code, "where": _where(m.file, m.line, m.key), "message": f"{m.key} {m.message}".strip(),
             "fix": m.example or error.fix}
            for m in error.mistakes
        ]  # fmt: skip
    more: Json = {"http_status": error.http_status, "request_id": error.request_id}
    given = {name: value for name, value in more.items() if value is not None}
    return [{"code": error.code, "where": error.where or None, "message": error.message, "fix": error.fix, **given}]


def _where(file: str, line: int | None, key: str) -> str:
    place = f"{file}:{line}" if line else file
    return f"{place}: {key}" if key else place


def moment(value: datetime | None) -> str | None:
    """A time as RFC 3339 in UTC; null where it is absent."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value else None
