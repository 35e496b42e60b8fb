"""What the checks look at: an org, a Vault, and what the configuration says of one app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from rotator.domain.pair import Consumer, Live, Target
from rotator.ports import Salesforce


class Org(Salesforce, Protocol):
    """More of an org than a rotation needs."""

    @property
    def org_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def responder_id(self) -> str: ...
    def versions(self) -> tuple[str, ...]: ...
    def limits(self) -> Mapping[str, tuple[int, int]]: ...
    def query(self, soql: str, limit: int = ...) -> tuple[Mapping[str, object], ...]: ...
    def app_id(self, app: str) -> str: ...


class Setting(Protocol):
    """Something of the mount or a path that should be mended."""

    @property
    def message(self) -> str: ...
    @property
    def fix(self) -> str: ...
    @property
    def fatal(self) -> bool: ...


class Vault(Protocol):
    """More of a Vault than a rotation needs."""

    def live(self, target: Target) -> Live: ...
    def findings(self, target: Target) -> Sequence[Setting]: ...
    def capabilities(self, paths: Sequence[str]) -> Mapping[str, frozenset[str]]: ...
    def token_life(self) -> float | None: ...


@dataclass(frozen=True)
class OrgScene:
    """One org of the configuration."""

    org: Org
    host: str
    api_version: str
    insecure: bool
    sessions: bool  # some app's sessions are to be ended


@dataclass(frozen=True)
class VaultScene:
    """The Vault; `needs_seconds` is what a token must live."""

    vault: Vault
    mount: str
    escrow_prefix: str
    needs_seconds: float


@dataclass(frozen=True)
class AppScene:
    """One app of the configuration."""

    org: Org
    vault: VaultScene
    app: str
    consumer_id: str
    target: Target
    probe: str

    @cached_property
    def consumer(self) -> Consumer:
        """Several reads, once. Raises what the port raises."""
        return self.org.find(self.app, self.consumer_id)

    @cached_property
    def live(self) -> Live:
        return self.vault.vault.live(self.target)
