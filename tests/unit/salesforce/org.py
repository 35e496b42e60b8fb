"""An org that says what a test wants: answers by method and path, every request kept."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from rotator.adapters.http import Http
from rotator.adapters.salesforce import AdminCredentials, ClientCredentials, SalesforceOrg
from rotator.domain.pair import Consumer
from rotator.domain.secret import Secret

HOST = "https://acme.my.salesforce.com"
ORG, USER = "00DEX00000000012AA", "005EX0000000002YAA"
CONSUMER = Consumer(ORG, "0xIEX00000000032AA", "888EX0000000004YAA", "Billing_Sync", "Billing Sync")
OWN = ClientCredentials("3MVG9own", Secret("OWN-SECRET-OWN-SECRET"))
TOKEN = "00DEX0000000001!own.token.own.token"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DATE = {"date": "Tue, 24 Nov 2026 08:00:00 GMT"}

Reply = httpx.Response | Exception
Handler = Callable[[httpx.Request], Reply]


def says(body: object = None, status: int = 200, **headers: str) -> httpx.Response:
    """An answer with a JSON body; text and bytes go out as they are."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return httpx.Response(status, content=raw, headers={**DATE, **names})


def error(code: str, text: str = "", status: int = 400, **headers: str) -> httpx.Response:
    """A REST error, as an array."""
    return says([{"errorCode": code, "message": text}], status, **headers)


def oauth_error(code: str, text: str = "", status: int = 400, **headers: str) -> httpx.Response:
    """An error of the token endpoint."""
    return says({"error": code, "error_description": text}, status, **headers)


def token_answer(**changes: object) -> dict[str, object]:
    """A good answer of the token endpoint."""
    return {"access_token": TOKEN, "id": f"https://login.salesforce.com/id/{ORG}/{USER}", "token_type": "Bearer",
            "instance_url": HOST, "token_format": "opaque", **changes}  # fmt: skip


class Org(httpx.BaseTransport):
    """Answers in the order of the script; the rotator's own login is answered by itself unless scripted."""

    def __init__(self, *script: Reply | Handler, logins: list[Reply] | None = None) -> None:
        self.script = list(script)
        self.logins = logins
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        own = OWN.secret.reveal() in request.content.decode() or b"assertion" in request.content
        if request.url.path == "/services/oauth2/token" and own:
            reply: Reply | Handler = self.logins.pop(0) if self.logins else says(token_answer())
        else:
            reply = self.script.pop(0)
        made = reply if isinstance(reply, httpx.Response | Exception) else reply(request)
        if isinstance(made, Exception):
            raise made
        return made

    @property
    def calls(self) -> list[str]:
        """Method and path of every request but the rotator's own logins."""
        return [f"{r.method} {r.url.path}" for r in self.requests if OWN.secret.reveal() not in r.content.decode()]


def port(org: Org, credentials: Callable[[], AdminCredentials] = lambda: OWN, **options: Any) -> SalesforceOrg:
    """The adapter before this org."""
    http = Http(HOST, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), transport=org)
    return SalesforceOrg(http, credentials=credentials, **{"now": lambda: NOW, **options})
