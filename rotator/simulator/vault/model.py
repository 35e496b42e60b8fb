"""The state of the small Vault: mounts by namespace, tokens, roles, wrapped values, seal and status switches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rotator.simulator.clock import Clock
from rotator.simulator.dice import Dice
from rotator.simulator.vault.kv import Mount

ALL_CAPABILITIES = ("create", "read", "update", "patch", "delete", "list")


class VaultError(Exception):
    """A refusal: HTTP status and the members of `errors`."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(*errors)
        self.status, self.errors = status, list(errors)


@dataclass
class Token:
    """A Vault token. `ttl` 0 never expires; `uses` 0 is unlimited; `root` may do anything."""

    value: str
    accessor: str
    created_at: float
    ttl: float
    max_ttl: float
    expires_at: float
    path: str
    policies: list[str]
    renewable: bool = True
    root: bool = False
    uses: int = 0
    meta: dict[str, str] = field(default_factory=dict)


@dataclass
class Role:
    """An auth role: approle has secret ids, jwt and kubernetes accepted tokens, cert accepted certificates."""

    name: str
    method: str
    ttl: float = 1200.0
    max_ttl: float = 14400.0
    role_id: str = ""
    secret_ids: dict[str, int] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    any_certificate: bool = False
    policies: list[str] = field(default_factory=lambda: ["default"])


@dataclass
class Wrapped:
    """A response wrapped in a single-use token."""

    response: dict[str, Any]
    path: str
    created_at: float
    ttl: float


@dataclass
class Deny:
    """A rule of the admin door: these capabilities are missing on paths that match."""

    path: str
    capabilities: list[str]

    def hits(self, path: str, capability: str) -> bool:
        """Whether the rule takes that capability on that path (without `/v1/`) away."""
        return re.search(self.path, path) is not None and capability in self.capabilities


@dataclass
class Vault:
    """The whole of it. `mounts[namespace][name]` is a KV v2 mount, or a dict of paths for KV v1."""

    clock: Clock
    dice: Dice
    mounts: dict[str, dict[str, Mount | dict[str, Any]]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    roles: list[Role] = field(default_factory=list)
    wrapped: dict[str, Wrapped] = field(default_factory=dict)
    denies: list[Deny] = field(default_factory=list)
    sealed: bool = False
    initialized: bool = True
    status: int = 0
    lag: int = 0
    index: int = 0
    issued: list[str] = field(default_factory=list)

    def issue(self, role: Role, path: str, meta: dict[str, str] | None = None) -> Token:
        """A token for a login through that role."""
        now = self.clock.now()
        token = Token("hvs." + self.dice.text(92), self.dice.text(24), now, role.ttl, role.max_ttl,
                      now + role.ttl if role.ttl else 0.0, path, list(role.policies), meta=meta or {})  # fmt: skip
        self.tokens[token.value] = token
        self.issued.append(token.value)
        return token

    def root(self, value: str) -> Token:
        """Make a root token of that value."""
        token = Token(value, self.dice.text(24), self.clock.now(), 0, 0, 0, "auth/token/root", ["root"],
                      renewable=False, root=True)  # fmt: skip
        self.tokens[value] = token
        self.issued.append(value)
        return token

    def token(self, value: str) -> Token:
        """A live token; VaultError 403 otherwise."""
        found = self.tokens.get(value)
        if found is not None and found.expires_at and found.expires_at <= self.clock.now():
            del self.tokens[value]
            found = None
        if found is None:
            missing = () if not value else ("invalid token",)
            raise VaultError(403, *many("permission denied", *missing))
        return found

    def wrap(self, response: dict[str, Any], path: str, ttl: float) -> dict[str, Any]:
        """Keep a response under a wrapping token; gives the `wrap_info`."""
        value = "hvs." + self.dice.text(60)
        self.wrapped[value] = Wrapped(response, path, self.clock.now(), ttl)
        self.issued.append(value)
        return {"token": value, "accessor": self.dice.text(24), "ttl": int(ttl), "creation_path": path,
                "creation_time": self.clock.now()}  # fmt: skip

    def allowed(self, token: Token, path: str) -> list[str]:
        """The capabilities of a token on a path (without `/v1/`)."""
        if token.root:
            return ["root"]
        kept = [c for c in ALL_CAPABILITIES if not any(rule.hits(path, c) for rule in self.denies)]
        return kept or ["deny"]


def many(*errors: str) -> tuple[str, ...]:
    """Errors in the way Vault's multierror writes them, when there are several."""
    if len(errors) == 1:
        return errors
    return ("".join([f"{len(errors)} errors occurred:", *(f"\n\t* {e}" for e in errors), "\n\n"]),)
