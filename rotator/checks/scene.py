"""What the checks look at: an org, a Vault, this machine, and what the configuration says of one app."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Protocol

from rotator.checks.rights import ADMIN_LIKE, ONLY_API, held
from rotator.domain.errors import Refused
from rotator.domain.pair import Consumer, Live, Target
from rotator.domain.session import Login, Probe
from rotator.ports import Salesforce

Row = Mapping[str, object]

# The developer's side of the flow; documents disagree on the object's name (reference section 8, row 9).
SETTINGS = ("ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthSettings", "ExtlClntAppGlobalOauthSet")
POLICIES = "ExtlClntAppOauthPlcyCnfg"
FLOW = "IsClientCredentialsFlowEnabled"
POLICY_COLUMNS = (FLOW, "ClientCredentialsFlowUser", "IpRelaxationPolicyType", "SessionTimeoutInMinutes",
                  "NamedUserJwtTimeout")  # fmt: skip
MOST_APPS = 20_000


class Org(Salesforce, Protocol):
    """More of an org than a rotation needs."""

    @property
    def org_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def responder_id(self) -> str: ...
    @property
    def own_key(self) -> str: ...
    def versions(self) -> tuple[str, ...]: ...
    def limits(self) -> Mapping[str, tuple[int, int]]: ...
    def query(self, soql: str, limit: int = ...) -> tuple[Row, ...]: ...
    def app_id(self, app: str) -> str: ...
    def find_classic(self, app: str) -> Consumer: ...
    def logins_since(self, user_id: str, since: datetime) -> int: ...
    def org_settings(self, kind: str, name: str) -> Mapping[str, str]: ...


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


class Seen(Protocol):
    """One fact of an org's profile."""

    @property
    def fact(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def seen_at(self) -> str: ...


class Verified(Protocol):
    """What a reading of the whole trail found."""

    @property
    def ok(self) -> bool: ...
    @property
    def rows(self) -> int: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class HereScene:
    """This machine and its database. `schema` raises where the tables are not as they should be; `anchored` is the time
    of the newest anchor, `anchors` whether any place for them is configured; `secrets` are the files with secrets."""

    schema: Callable[[], str]
    verify: Callable[[], Verified]
    anchored: Callable[[], datetime | None]
    anchors: bool
    now: Callable[[], datetime]
    environment: Mapping[str, str]
    secrets: Sequence[Path]


@dataclass(frozen=True)
class OrgScene:
    """One org of the configuration. What stands there for all apps is read once for all apps."""

    name: str
    org: Org
    host: str
    api_version: str
    insecure: bool
    sessions: bool  # some app's sessions are to be ended
    now: Callable[[], datetime]
    own_keys: Callable[[], frozenset[str]]  # consumer keys that the rotator itself logs in with
    own_since: Callable[[], datetime | None]  # since when its own pair is what it is; None: nobody wrote that down
    own_max_age: timedelta
    stated: Mapping[str, str]
    profile: Callable[[], Sequence[Seen]]
    release: Callable[[], str]  # of Salesforce at the last calibration; "": there was none

    @cached_property
    def policies(self) -> Mapping[str, Row]:
        """The admin's side of every app, by the first 15 letters of its id. A narrow look where the org does not know
        the wider one's columns. Raises what a query raises."""
        try:
            return self._by_app(POLICIES, *POLICY_COLUMNS)
        except Refused as error:
            if error.http_status != 400:
                raise
            return self._by_app(POLICIES, FLOW)

    @cached_property
    def settings(self) -> Mapping[str, Row]:
        """The developer's side of every app, whatever the org calls the object; empty where it shows none."""
        for name in SETTINGS:
            try:
                return self._by_app(name, FLOW)
            except Refused:  # no such object in this org
                continue
        return {}

    @cached_property
    def actions(self) -> Mapping[str, Row]:
        """The session policy action of every app (MD-opol `policyAction`)."""
        return self._by_app(POLICIES, "PolicyAction")

    @cached_property
    def origins(self) -> Mapping[str, Row]:
        """Namespace and distribution state of every app."""
        rows = self.org.query("SELECT Id, NamespacePrefix, DistributionState FROM ExternalClientApplication", MOST_APPS)
        return {str(row.get("Id"))[:15]: row for row in rows}

    def _by_app(self, source: str, *columns: str) -> Mapping[str, Row]:
        soql = f"SELECT ExternalClientApplicationId, {', '.join(columns)} FROM {source}"  # noqa: S608 - constants
        rows = self.org.query(soql, MOST_APPS)
        return {str(row.get("ExternalClientApplicationId"))[:15]: row for row in rows}


@dataclass(frozen=True)
class VaultScene:
    """The Vault; `needs_seconds` is what a token must live."""

    vault: Vault
    mount: str
    escrow_prefix: str
    needs_seconds: float


@dataclass(frozen=True)
class ClassicScene:
    """One classic connected app of the configuration."""

    place: OrgScene
    app: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A login with the live pair and the real call after it. `login` None: Vault holds no pair."""

    login: Login | None = None
    probe: Probe | None = None  # None: not tried
    refused: Refused | None = None  # at the login or at the call

    @property
    def code(self) -> str:
        return self.refused.code if self.refused else ""

    @property
    def good(self) -> bool:
        """Logged in, and nothing spoke against the token."""
        return self.refused is None and self.login is not None and self.login.accepted and self.probe is not Probe.DEAD


@dataclass(frozen=True)
class AppScene:
    """One app of the configuration."""

    place: OrgScene
    vault: VaultScene
    name: str  # in the configuration
    app: str
    consumer_id: str
    target: Target
    probe: str
    overlap: timedelta
    interval: timedelta
    ask: Callable[[Consumer], None]  # raises Unavailable where the login budget is used up

    @property
    def org(self) -> Org:
        return self.place.org

    @cached_property
    def consumer(self) -> Consumer:
        """Several reads, once. Raises what the port raises."""
        return self.org.find(self.app, self.consumer_id)

    @cached_property
    def live(self) -> Live:
        return self.vault.vault.live(self.target)

    @cached_property
    def primary(self) -> str:
        """The primary key."""
        return self.org.primary(self.consumer).key

    @cached_property
    def entry(self) -> Entry:
        """One token request and one real call for all checks that a login answers."""
        if self.live.credential is None:
            return Entry()
        self.ask(self.consumer)
        login = None
        try:
            login = self.org.login(self.live.credential.pair)
            if login.token is None or self.probe == "none":
                return Entry(login)
            return Entry(login, self.org.probe(login.token, self.probe))
        except Refused as error:
            return Entry(login, None, error)

    def policy(self, column: str) -> object:
        """A value of the app's OAuth policies; None where the org does not show it."""
        return self.place.policies.get(self.consumer.app_id[:15], {}).get(column)

    @cached_property
    def run_as(self) -> Row:
        """The User row of the run-as user. Empty where the org does not show who that is."""
        told = str(self.policy("ClientCredentialsFlowUser") or (self.entry.login.user_id if self.entry.login else ""))
        if not all(c.isascii() and (c.isalnum() or c in "_-.@+") for c in told):
            return {}
        column = "Id" if told.startswith("005") and "@" not in told else "Username"
        soql = f"SELECT Id, Username, IsActive FROM User WHERE {column} = '{told}'"  # noqa: S608 - checked above
        return next(iter(self.org.query(soql)), {}) if told else {}

    @cached_property
    def run_as_rights(self) -> frozenset[str]:
        """What the run-as user may do, of what a workload should not or must: one query. Raises as one."""
        return held(self.org, self.run_as_id, (ONLY_API, *ADMIN_LIKE))

    @property
    def run_as_id(self) -> str:
        found = str(self.run_as.get("Id", ""))
        return found if found.isalnum() else ""


@dataclass(frozen=True)
class SweptScene(AppScene):
    """An app between its rotations: no login is made, which could keep a session alive that it shares."""

    known: Consumer

    @property
    def consumer(self) -> Consumer:
        """The consumer."""
        return self.known

    @cached_property
    def entry(self) -> Entry:
        """None is made."""
        return Entry()


@dataclass(frozen=True)
class OwnScene(AppScene):
    """One of the rotator's own pairs: `place` sees the org with the identity that rotates it, which `rotates` names."""

    rotates: str
    seek: Callable[[], Consumer]

    @cached_property
    def consumer(self) -> Consumer:
        """The consumer whose primary key the live path serves. Raises what the look raises."""
        return self.seek()
