"""What the log may say: its events, its fields, and how a value becomes plain (see rotator.log)."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from pathlib import PurePath
from types import TracebackType
from typing import TypedDict

from rotator.domain.errors import RotatorError
from rotator.domain.secret import MASK, Secret

TEXT_CAP = 500  # characters of one value; an error's message and fix fit
LIST_CAP = 40


class Word(StrEnum):
    """Every event there is. A new one is added here."""

    STARTED = "started"
    STOPPING = "stopping"  # a signal asked for it
    STOPPED = "stopped"
    CONFIG_LOADED = "config_loaded"
    CONFIG_WARNING = "config_warning"
    CONFIG_REFUSED = "config_refused"  # at a reload: the old one stays
    READY = "ready"
    LISTENING = "listening"  # the control surface, at a socket
    NO_SOCKET = "no_socket"  # the default one cannot be had: the daemon works without
    SOCKET_NOT_SHARED = "socket_not_shared"  # it could not be given to its group
    REFUSED_CALL = "refused_call"  # of the control surface
    ANOTHER_DAEMON = "another_daemon"  # answers at the socket: the command does the work itself
    ANOTHER_VERSION = "another_version"  # the daemon's is not the command's
    BEGINS = "begins"  # a worker takes an app in hand
    SET_BACK = "set_back"  # it could not be worked on now; tried again later
    OVER_BUDGET = "over_budget"  # a forced rotation logs in beyond the login budget
    BREAKER_OPEN = "breaker_open"  # a far side does not answer: nothing of it is begun for a while
    BREAKER_CLOSED = "breaker_closed"
    DATABASE_DOWN = "database_down"
    DATABASE_BACK = "database_back"
    NOT_HARDENED = "not_hardened"  # the system denied a protection of the process
    SCHEMA_CREATED = "schema_created"
    SCHEMA_UPGRADED = "schema_upgraded"
    LEASE_TAKEN = "lease_taken"
    LEASE_LOST = "lease_lost"
    OPENED = "opened"
    RESUMED = "resumed"
    LOOKED = "looked"
    STEP = "step"  # one line per step that ran
    CALL = "call"  # one line per remote call
    RETRY = "retry"
    LOGIN = "login"  # the rotator's own, to the org or to Vault
    FACT = "fact"  # a fact of the org was seen
    PARKED = "parked"  # overlap or waiting: goes on by itself
    HELD = "held"  # a human is needed
    ENDED = "ended"
    CHECKED = "checked"
    NOTICE_SENT = "notice_sent"  # a channel took it
    NOTICE_DELAYED = "notice_delayed"  # tried again later
    NOTICE_GIVEN_UP = "notice_given_up"  # nobody took it within its life
    HOOK_RAN = "hook_ran"
    ANCHOR_FAILED = "anchor_failed"  # a place did not take an anchor of the audit trail
    SPOOL_MERGED = "spool_merged"  # what a break-glass force did without the database stands in the trail now
    FOLLOW_UP_FAILED = "follow_up_failed"  # a forced rotation could not be looked at again
    DATABASE_OLDER = "database_older"  # than its last anchor: every open rotation is held
    DRIFT = "drift"  # the sweep saw an app that is not as it should be, or could not look
    SETTLED = "settled"  # what the sweep saw is as it should be again
    SWEPT = "swept"  # an org, to the end
    LIBRARY = "library"  # another library's record
    CRASHED = "crashed"  # an exception that nobody caught: a defect
    UNNAMED = "unnamed"  # stands in for an event that is no Word


class Fields(TypedDict, total=False):
    """Every field there is. A name comes in only if its values are public: ids, names, numbers, our own words."""

    app: object
    org: object
    rotation_id: object
    parent_id: object
    trigger: object
    state: object
    goal: object
    step: object
    phase: object
    outcome: object
    attempt: object
    reason: object
    code: object
    message: object  # our own words only
    fix: object
    where: object
    http_status: object
    remote_request_id: object
    old_key_fp: object
    new_key_fp: object
    vault_path: object
    vault_version: object
    overlap_until: object
    next_at: object
    duration_ms: object
    wait_s: object
    call: object  # the purpose of a remote call, never its URL
    calls: object
    count: object
    claim: object
    channel: object  # of notices
    topic: object
    bytes_out: object  # how much a hook wrote; never what
    bytes_err: object
    lever: object
    fact: object
    fact_value: object
    epoch: object
    owner: object
    actor: object
    origin: object
    check: object
    look: object  # of the sweep
    command: object
    exit: object
    signal: object
    pid: object
    version: object
    config_hash: object
    revision: object
    file: object
    line: object
    key: object  # a key of the configuration, not a consumer's
    library: object
    place: object  # module:function:line


FIELDS = frozenset(Fields.__annotations__)

# What a secret looks like wherever it stands: the last net, for text that was built by mistake.
SHAPES = re.compile(
    r"00D[A-Za-z0-9]{12,15}![\w.!~+/=-]+"  # a Salesforce session id
    r"|\bhv[sbr]\.[\w-]+|\bs\.[A-Za-z0-9]{24}\b"  # Vault tokens: service, batch, recovery, and those before 1.10
    r"|\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}"  # a JWT
    r"|\b[0-9A-F]{32,}\b"  # a consumer secret
    r"|(?i:\b(?:bearer|basic)\s+)[\w.!~+/=-]{8,}"
    r"|(?<=://)[^/\s@]+(?=@)"  # user and password in a URL
)


def clean(text: str) -> str:
    """One line of printable text: control and direction characters replaced, secret shapes masked, capped."""
    start = str.__str__(text)[: TEXT_CAP * 8]  # a hostile gigabyte is not worth a search
    masked = SHAPES.sub(MASK, "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in start))
    return masked if len(masked) <= TEXT_CAP else masked[:TEXT_CAP] + "..."


def plain(value: object) -> object:
    """A value that JSON holds as it is. An object becomes the name of its type: its `repr` never runs."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str | PurePath):
        return clean(str(value) if isinstance(value, PurePath) else value)
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 1 << 63):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return round(value, 6)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple):
        return [f"<{type(i).__name__}>" if isinstance(i, list | tuple) else plain(i) for i in value[:LIST_CAP]]
    return f"<{clean(type(value).__name__)}>"


def frames_of(trace: TracebackType | None) -> list[str]:
    """The innermost frames as file:line function. No source text, no local variables."""
    found: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        file = re.sub(r"^.*/(?:site-packages|python3\.\d+)/|^.*/(?=rotator/)", "", code.co_filename)
        found.append(f"{file}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-LIST_CAP:]


def told(error: BaseException, *, frames: bool) -> dict[str, object]:
    """What the log says of an exception: its class, and if it is ours its message and fix. A foreign exception's
    text may hold a response body or a URL (hvac, httpx), so it is never read."""
    says: dict[str, object] = {"error": type(error).__qualname__}
    if isinstance(error, RotatorError):
        says |= {"code": error.code, "message": error.message, "fix": error.fix, "where": error.where or None}
        says |= {"http_status": error.http_status, "remote_request_id": error.request_id}
    before, causes = error, []
    while (cause := before.__cause__ or (None if before.__suppress_context__ else before.__context__)) is not None:
        causes.append(type(cause).__qualname__)
        if len(causes) == LIST_CAP:
            break
        before = cause
    says |= {"because": causes or None, "frames": frames_of(error.__traceback__) if frames else None}
    return {name: value for name, value in says.items() if value is not None}
