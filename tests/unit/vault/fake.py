"""Vault servers that say what the test tells them to, behind the real HTTP layer."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from rotator.adapters.http import Answer, Http, TransportError
from rotator.adapters.vault import AppRoleAuth, Auth, VaultClient, VaultKv, VaultOptions
from rotator.domain.pair import Target
from rotator.domain.secret import Secret

TARGET = Target("salesforce/acme/billing", "client_id", "client_secret", "https://acme.my.salesforce.com", "billing")
TOKEN = "hvs.TokenOfTheTest-4711"
SECRET_ID = "SecretIdOfTheTest-0815"
APPROLE = AppRoleAuth("role", lambda: Secret(SECRET_ID))

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Script = Callable[[httpx.Request], httpx.Response]


def told(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer: a string as it is, anything else as JSON."""
    if isinstance(body, str):
        return httpx.Response(status, text=body, headers=headers)
    return httpx.Response(status, json=body, headers=headers) if body is not None else httpx.Response(status)


def secret_at(version: int, fields: Mapping[str, Any]) -> httpx.Response:
    """A KV v2 read."""
    return told(200, {"request_id": "q-1", "data": {"data": fields, "metadata": {"version": version}}})


ABSENT: dict[str, list[str]] = {"errors": []}


class FakeVault:
    """One server: answers logins by itself and all else by its script; keeps the requests."""

    def __init__(self, script: Script, *, lease: int = 3600) -> None:
        self.script = script
        self.lease = lease
        self.seen: list[httpx.Request] = []
        self.logins = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        if request.url.path.endswith("/login"):
            self.logins += 1
            token = TOKEN if self.logins == 1 else f"{TOKEN}-{self.logins}"
            return told(200, {"auth": {"client_token": token, "lease_duration": self.lease}})
        return self.script(request)

    @property
    def calls(self) -> list[str]:
        """Method and path of what was asked, logins left out."""
        return [f"{r.method} {r.url.path}" for r in self.seen if not r.url.path.endswith("/login")]


class BrokenHttp(Http):
    """A server that is never heard: raises what it was made with, and counts."""

    def __init__(self, error: TransportError) -> None:
        super().__init__("https://vault-broken.test", tls=TLS)
        self.error = error
        self.tries = 0

    def call(self, *_: object, **__: object) -> Answer:
        self.tries += 1
        raise self.error


def client_of(
    *servers: Script | Http, auth: Auth = APPROLE, monotonic: Callable[[], float] = lambda: 0.0, **more: Any
) -> VaultClient:
    """A client of these servers."""
    addresses = tuple(f"https://vault-{place}.test" for place, _ in enumerate(servers))
    https = [
        server if isinstance(server, Http) else Http(address, tls=TLS, transport=httpx.MockTransport(server))
        for address, server in zip(addresses, servers, strict=True)
    ]
    return VaultClient(VaultOptions(addresses, auth, **more), monotonic=monotonic, https=https)


def port_of(*servers: Script | Http, **more: Any) -> VaultKv:
    """A port over a client of these servers."""
    return VaultKv(client_of(*servers, **more))


def body_of(request: httpx.Request) -> Any:
    """The JSON that was sent."""
    return json.loads(request.content)
