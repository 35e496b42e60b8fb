"""One request to Vault and one understood answer: what passes between hvac, the token keeper and the servers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rotator.adapters.answer import Answer

_UUID = re.compile(r"[0-9a-f-]{32,36}")


class Kind(StrEnum):
    """What is at stake when no clear answer comes."""

    READ = "read"
    WRITE = "write"  # may have happened: OutcomeUnknown
    LOGIN = "login"  # changes nothing that we keep: Unavailable, and 4xx is a refused login


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` begins with /v1/. The body is not in the repr: it may hold a secret."""

    method: str
    path: str
    kind: Kind
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: object = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """The path as an operator writes it in a policy."""
        return self.path.removeprefix("/v1/")

    @property
    def mount(self) -> str:
        """The KV mount, which may hold slashes."""
        return re.split(r"/(?:data|metadata|delete|destroy|config)(?:/|$)", self.place, maxsplit=1)[0]


def kind_of(method: str, path: str) -> Kind:
    """Only a login changes nothing we keep and yet is a POST; asking for capabilities and looking up a wrapping
    token are reads by POST."""
    if method in ("GET", "HEAD", "LIST") or path.startswith(("/v1/sys/capabilities", "/v1/sys/wrapping/lookup")):
        return Kind.READ
    if path.startswith(("/v1/auth/", "/v1/sys/wrapping/")):
        return Kind.LOGIN
    return Kind.WRITE


@dataclass(frozen=True, slots=True)
class Reply:
    """A clear answer: a success, or a 404 that Vault itself gave to a read. Nothing of it is in the repr."""

    status: int
    body: Mapping[str, Any] = field(repr=False)

    @property
    def found(self) -> bool:
        return self.status != 404

    @property
    def data(self) -> Mapping[str, Any]:
        """The member `data`; empty where there is none (a 204, a plain 404)."""
        data = self.body.get("data")
        return data if isinstance(data, Mapping) else {}

    @property
    def auth(self) -> Mapping[str, Any]:
        """The member `auth` of a login; empty where there is none."""
        auth = self.body.get("auth")
        return auth if isinstance(auth, Mapping) else {}

    @property
    def request_id(self) -> str:
        """Vault's id of this request, for its audit log; "" where it gave none (204, errors), or something that is no
        id: it goes into the trail, so nothing that a server repeats may pass for it."""
        found = self.body.get("request_id")
        return found if isinstance(found, str) and _UUID.fullmatch(found) else ""


Send = Callable[[Call], Reply]


def errors_of(answer: Answer) -> str | None:
    """Vault's own words of an error, only to be matched against our table and never shown: a server could echo a
    secret. None where the body is not Vault's JSON."""
    body = body_of(answer)
    if body is None:
        return None
    errors = body.get("errors")
    return " ".join(str(error) for error in errors) if isinstance(errors, list) else ""


def body_of(answer: Answer) -> Mapping[str, Any] | None:
    """The JSON object of an answer; an empty body counts as an empty object only for a 204."""
    if not answer.body:
        return {} if answer.status == 204 else None
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
