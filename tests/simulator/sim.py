"""A hand on a running simulator: short calls to its org, its Vault and its admin door."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from rotator.simulator import Running

DATA = "/services/data/v65.0"
FRESH = {"difficulty": "plain", "facts": {}, "shapes": {}, "apps": 3, "seed_live": True}


class Sim:
    """Three HTTP clients and the ids of the default world."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.door = httpx.Client(base_url=running.admin_url, trust_env=False)
        self.org = httpx.Client(base_url=running.org_url, trust_env=False)
        self.vault = httpx.Client(base_url=running.vault_url, trust_env=False)
        self.reset()

    def close(self) -> None:
        """Close the clients."""
        for client in (self.door, self.org, self.vault):
            client.close()

    def reset(self, **options: Any) -> None:
        """A fresh plain world, logged in at the org as the rotator and at the Vault as root."""
        self.org.headers.pop("authorization", None)
        self.world = self.admin("POST", "/reset", FRESH | options)
        self.acme = self.world["orgs"]["acme"]
        self.billing = self.acme["apps"]["billing"]
        rights = self.login(self.acme["admin"]["client_id"], self.acme["admin"]["client_secret"])
        self.org.headers["authorization"] = f"Bearer {rights.json()['access_token']}"
        self.vault.headers["x-vault-token"] = self.world["vault"]["root_token"]

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the admin door that must succeed."""
        reply = self.door.request(method, path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def facts(self, **values: str) -> None:
        """Set facts of the org."""
        self.admin("POST", "/facts", values)

    def shapes(self, **values: str) -> None:
        """Set shapes of the org."""
        self.admin("POST", "/shapes", values)

    def act(self, act: str) -> bool:
        """A foreign act on billing."""
        return bool(self.admin("POST", "/strangers", {"act": act, "app": "billing"})["done"])

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.admin("POST", "/clock", {"advance": seconds})

    def login(self, key: str, secret: str) -> httpx.Response:
        """A client-credentials token request."""
        form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
        return self.org.post("/services/oauth2/token", data=form, headers={"authorization": ""})

    def logs_in(self, pair: tuple[str, str]) -> bool:
        """Whether a pair gets a token."""
        return self.login(*pair).status_code == 200

    def token(self, pair: tuple[str, str]) -> str:
        """A token of a pair that works."""
        return str(self.login(*pair).json()["access_token"])

    def alive(self, token: str) -> bool:
        """Whether a token may make a real call."""
        reply = self.org.get(f"{DATA}/limits", headers={"authorization": f"Bearer {token}"})
        assert reply.status_code in (200, 401), reply.text
        return reply.status_code == 200

    @property
    def credentials(self) -> str:
        """The path of billing's credentials."""
        return f"{DATA}/apps/oauth/credentials/{self.billing['app_id']}/{self.billing['consumer_id']}"

    @property
    def old(self) -> tuple[str, str]:
        """The pair that billing began with."""
        return self.billing["client_id"], self.billing["client_secret"]

    def stage(self) -> tuple[str, str]:
        """Stage a pair; plain shapes only."""
        entry = self.org.post(f"{self.credentials}/staged", json={}).json()["stagedCredentials"][0]
        return entry["key"], entry["secret"]

    def slot(self) -> list[dict[str, Any]]:
        """The slot, as the truth door tells it."""
        return list(self.truth()["consumers"][0]["slot"])

    def rotate(self) -> httpx.Response:
        """Promote what is staged."""
        return self.org.patch(f"{self.credentials}/staged/{self.slot()[0]['id']}", json={"command": "rotate"})

    def delete(self) -> httpx.Response:
        """Delete what is in the slot."""
        return self.org.delete(f"{self.credentials}/staged/{self.slot()[0]['id']}")

    def truth(self, app: str = "billing") -> dict[str, Any]:
        """What is really so for an app."""
        return dict(self.admin("GET", "/truth")["acme"][app])

    def query(self, soql: str) -> httpx.Response:
        """A SOQL query."""
        return self.org.get(f"{DATA}/query", params={"q": soql})

    def records(self, soql: str) -> list[dict[str, Any]]:
        """The records of a query that must succeed."""
        reply = self.query(soql)
        assert reply.status_code == 200, reply.text
        return list(reply.json()["records"])

    def fault(self, kind: str, nth: int = 0, args: dict[str, Any] | None = None, **match: str) -> None:
        """Schedule a fault."""
        self.admin("POST", "/faults", {"kind": kind, "match": match, "nth": nth, "args": args or {}})

    def invariants(self) -> dict[str, Any]:
        """What the watch has seen."""
        return dict(self.admin("GET", "/invariants"))

    def publish(self, pair: tuple[str, str], cas: int | None = None) -> httpx.Response:
        """Write a pair to billing's live path."""
        options = {} if cas is None else {"cas": cas}
        body = {"data": {"client_id": pair[0], "client_secret": pair[1]}, "options": options}
        return self.vault.post(f"/v1/secret/data/{self.billing['vault_path']}", json=body)


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition that another thread makes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
