"""A request and its reply as plain values, and the little router both sides use. No I/O."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote


@dataclass
class Call:
    """One HTTP request, read to its end. Header names are lower case; `n` is its number in the history."""

    site: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    scheme: str = "http"
    peer_certificate: bytes = b""
    n: int = 0

    def form(self) -> dict[str, str]:
        """The body as a form; last value wins."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is empty or something else."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def basic(self) -> tuple[str, str]:
        """User and password of a Basic header, percent-decoded; empty when there is none."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return "", ""
        try:
            user, _, word = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(user), unquote(word)

    def bearer(self) -> str:
        """The token of a Bearer (or old-style OAuth) header."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if kind.lower() in ("bearer", "oauth") else ""


@dataclass
class Reply:
    """What goes back. `effect` names a change that took place, for the history; `who` is a public key or path."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    effect: str = ""
    about: str = ""

    def json(self) -> Any:
        """The body parsed, None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def as_json(value: object, status: int = 200, effect: str = "", about: str = "", **headers: str) -> Reply:
    """A JSON reply."""
    named = {"content-type": "application/json;charset=UTF-8", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return Reply(status, json.dumps(value).encode(), named, effect, about)


Handler = Callable[..., Reply]


class Router:
    """Paths as regular expressions with named groups; a handler gets the call and the groups."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, methods: str, pattern: str, handler: Handler) -> None:
        """`GET|POST` and a pattern of the whole path."""
        for method in methods.split("|"):
            self._routes.append((method, re.compile(pattern + r"/?\Z"), handler))

    def find(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]] | None:
        """The first route that fits, with its groups; None when no path fits. A path known under other methods
        raises MethodNotAllowed."""
        known = False
        for allowed, pattern, handler in self._routes:
            match = pattern.match(path)
            if match and allowed == method:
                return handler, {k: v or "" for k, v in match.groupdict().items()}
            known = known or match is not None
        if known:
            raise MethodNotAllowed
        return None


class MethodNotAllowed(Exception):
    """The path exists, the method does not."""
