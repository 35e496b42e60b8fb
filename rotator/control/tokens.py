"""Callers that come by TLS: named tokens, of which only hashes are kept, and client certificates."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rotator.control.callers import UNKNOWN_CALLER, Caller, Role
from rotator.domain.errors import ConfigError, UsageError
from rotator.domain.secret import Secret

_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.@-]{0,63})\s+(?P<role>view|rotate|force)\s+(?P<hash>[0-9a-f]{64})")
LONGEST = 512  # characters of a token
ORIGIN = "tcp"


@dataclass(frozen=True, slots=True)
class Token:
    """A named token; `hash` is the SHA-256 of it. Tokens are random (256 bits), so that the hash tells nothing."""

    name: str
    role: Role
    hash: str


def parse(text: str) -> Iterator[Token]:
    """One `NAME ROLE SHA256` a line; `#` begins a comment. Raises ConfigError, naming the line, never its content."""
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        found = _LINE.fullmatch(written)
        if found is None or found["name"] in names:
            why = "is no `NAME ROLE SHA256`" if found is None else f"names {found['name']} a second time"
            raise ConfigError(f"line {number} of the tokens file {why}", where="control.tokens_file",
                              fix="NAME view|rotate|force and 64 hex digits: docs/control.md")
        names.add(found["name"])
        yield Token(found["name"], Role.named(found["role"]), found["hash"])


@dataclass(frozen=True, slots=True)
class Registry:
    """Who may come in by TLS. `read` gives the tokens file as it is now, so that a token that was struck out is refused
    at the next call; None where there is no such file. `certificates` maps names to roles."""

    read: Callable[[], Secret] | None
    certificates: Mapping[str, str]

    def caller(self, authorization: str, certificate: Mapping[str, Any] | None) -> Caller:
        """By the token where one is sent, else by the certificate. Raises UsageError for neither."""
        if authorization:
            return self._by_token(authorization)
        for name in names_of(certificate or {}):
            if name in self.certificates:
                return Caller(name, Role.named(self.certificates[name]), ORIGIN)
        raise _unknown("no token was sent, and no client certificate that is known here")

    def _by_token(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST or self.read is None:
            raise _unknown("this is no token that is known here")
        given = hashlib.sha256(token.strip().encode()).hexdigest()
        found: Caller | None = None
        for known in parse(self.read().reveal()):  # all of them: how long it takes does not tell which was near
            if hmac.compare_digest(known.hash, given):
                found = Caller(known.name, known.role, ORIGIN)
        if found is None:
            raise _unknown("this is no token that is known here")
        return found


def names_of(certificate: Mapping[str, Any]) -> list[str]:
    """DNS names and common name of a verified certificate, as `SSLObject.getpeercert` gives it."""
    dns = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    common = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return [*dns, *common]


def _unknown(why: str) -> UsageError:
    return UsageError(why, code=UNKNOWN_CALLER, fix="send `Authorization: Bearer TOKEN`: docs/control.md#over-tcp")
