"""What an answer of Vault that is no success means: one table, first match wins.

Sources: Vault's HTTP API documentation, "HTTP status codes"; KV v2's path_data.go for the check-and-set text (a
failed check is a 400). Vault's own words are matched and never repeated: they can hold what we sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rotator.adapters.answer import Answer, NotSent, TransportError
from rotator.adapters.vault.call import Call, Kind, errors_of
from rotator.domain.errors import (
    CasMismatch,
    NotFound,
    OutcomeUnknown,
    Refused,
    RotatorError,
    Unavailable,
    Unintelligible,
)


@dataclass(frozen=True, slots=True)
class Row:
    """statuses; a pattern in Vault's words (None: any body, also one that is not Vault's); what a read raises and
    what a write raises; code; message and fix, with {place}, {status}, {method} and {mount} filled in.
    `elsewhere`: this server cannot serve, another of the cluster may."""

    statuses: tuple[int, ...]
    words: str | None
    read: type[RotatorError]
    write: type[RotatorError]
    code: str
    says: str
    fix: str = ""
    elsewhere: bool = False


_WHOLE = tuple(range(100, 600))
_STANDBY_FIX = "list every server of the cluster in [vault] address, or the load balancer that finds the active one"
_SEALED_FIX = "unseal Vault (`vault operator unseal`); the rotator goes on by itself"
_LOGIN_FIX = (
    "check [vault] auth (Vault's own log says what it misses); a new AppRole secret id: `vault write -f"
    " auth/approle/role/ROLE/secret-id`"
)
_POLICY_FIX = "give our token the policy config/vault-policy.hcl: `vault policy write rotator vault-policy.hcl`"

LOGIN_REFUSED = Row((400, 401, 403, 404), "", Refused, Refused, "vault_login", "Vault refused our login", _LOGIN_FIX)

TABLE: tuple[Row, ...] = (
    Row((400,), "check-and-set parameter did not match", CasMismatch, CasMismatch, "check_and_set",
        "{place} in Vault has a newer version than the one we read"),
    Row((400,), "upgrading from non-versioned", Unavailable, Unavailable, "vault_upgrading",
        "the KV mount of {place} is still being upgraded to version 2"),
    Row((400, 405, 413, 415), "", Refused, Refused, "vault_refused",
        "Vault does not accept {method} {place} (HTTP {status})",
        "is {mount} a KV v2 mount? `vault secrets list -detailed`"),
    Row((401, 403), "", Refused, Refused, "vault_permission", "Vault does not let us {method} {place}",
        _POLICY_FIX),
    Row((404,), r"\S", Refused, Refused, "vault_mount",
        "Vault has nothing mounted that serves {place}",
        "correct [vault] mount and namespace, or `vault secrets enable -path={mount} -version=2 kv`"),
    # Only a 404 without a word of reason means that nothing is there (invariant 7).
    Row((404,), "", NotFound, NotFound, "not_found", "{place} is not in Vault"),
    Row((412,), "", Unavailable, Unavailable, "vault_behind",
        "this Vault server has not yet seen our last write (HTTP 412)", elsewhere=True),
    Row((429,), "quota|rate limit", Unavailable, Unavailable, "vault_throttled", "Vault's rate quota is used up"),
    Row((429, 472, 473, 474, 530), None, Unavailable, Unavailable, "vault_standby",
        "this Vault server does not serve requests (HTTP {status})", _STANDBY_FIX, elsewhere=True),
    Row((307,), None, Unavailable, Unavailable, "vault_standby",
        "this Vault server points to another one, and redirects are never followed", _STANDBY_FIX, elsewhere=True),
    Row((501,), "", Unavailable, Unavailable, "vault_not_initialised", "this Vault server is not initialised",
        "initialise it (`vault operator init`), or correct [vault] address", elsewhere=True),
    Row((503,), "sealed", Unavailable, Unavailable, "vault_sealed", "Vault is sealed", _SEALED_FIX, elsewhere=True),
    Row((502, 503), None, Unavailable, OutcomeUnknown, "vault_down",
        "Vault, or what stands before it, is down (HTTP {status})", elsewhere=True),
    Row((500, 504, *range(505, 530), *range(531, 600)), None, Unavailable, OutcomeUnknown, "vault_error",
        "Vault failed to answer (HTTP {status})", "see Vault's own log; the rotator tries again by itself"),
    Row(_WHOLE, None, Unintelligible, OutcomeUnknown, "vault_unintelligible",
        "{place}: the answer (HTTP {status}) is not one that Vault gives",
        "is [vault] address really a Vault server, and not a proxy's page?"),
)  # fmt: skip


def row_for(call: Call, answer: Answer) -> Row:
    """The row that names this answer."""
    words = errors_of(answer)
    if call.kind is Kind.LOGIN and words is not None and answer.status in LOGIN_REFUSED.statuses:
        return LOGIN_REFUSED
    return next(row for row in TABLE if answer.status in row.statuses and _matches(row, words))


def _matches(row: Row, words: str | None) -> bool:
    return row.words is None or (words is not None and re.search(row.words, words, re.IGNORECASE) is not None)


def failure(row: Row, call: Call, answer: Answer) -> RotatorError:
    """The error to raise for this answer; it holds nothing that the server said."""
    kind = row.write if call.kind is Kind.WRITE else row.read
    error = _made(kind, row.code, row.says, row.fix, call, answer.status)
    if isinstance(error, Unavailable):
        error.retry_after = _retry_after(answer)
    return error


def _made(kind: type[RotatorError], code: str, says: str, fix: str, call: Call, status: int | None) -> RotatorError:
    fill = {"place": call.place, "status": status, "method": _CAPABILITY.get(call.method, call.method.lower()),
            "mount": call.mount}  # fmt: skip
    # OutcomeUnknown has one next action whatever the cause: the class's own words.
    hint = "" if kind is OutcomeUnknown else fix.format(**fill)
    where = f"vault:{call.place}"
    return kind(says.format(**fill), code=code, fix=hint, where=where, http_status=status)


_CAPABILITY = {"GET": "read", "POST": "update", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def _retry_after(answer: Answer) -> float | None:
    told = answer.headers.get("retry-after", "")
    return float(told) if re.fullmatch(r"\d{1,5}", told) else None


def unreached(call: Call, error: TransportError) -> RotatorError:
    """The error to raise where no whole answer came. A certificate that does not fit is never tried around."""
    if isinstance(error, NotSent):
        if error.reason == "tls":
            fix = "check [vault] address and ca_file; until it is clear who answers there, nothing is sent"
            return _made(Refused, "vault_tls", "Vault cannot be trusted: " + error.message, fix, call, None)
        if error.reason == "protocol":
            fix = "check [vault] namespace and the token file for stray characters"
            return _made(Refused, "vault_request", error.message, fix, call, None)
        return _made(Unavailable, "vault_unreachable", "Vault: " + error.message, "", call, None)
    if call.kind is Kind.WRITE:
        return _made(OutcomeUnknown, "vault_lost", "Vault: " + error.message, "", call, None)
    kind = Unavailable if error.reason in ("timeout", "closed") else Unintelligible
    return _made(kind, "vault_lost", "Vault: " + error.message, "", call, None)
