"""The records of one org, as plain data. The rules live in pairs.py, tokens.py and oauth.py."""

from __future__ import annotations

from dataclasses import dataclass, field

from rotator.simulator.clock import Clock
from rotator.simulator.dice import Dice, long_id, same_id
from rotator.simulator.switches import Switches

DAY = 86400.0
STAGED_LIFE = 30 * DAY
"""Staged and rotated pairs live 30 days (reference 6.6)."""

ALL_PERMISSIONS = (
    "ApiEnabled", "ApiUserOnly", "ExternalClientAppDeveloper", "ExternalClientAppAdmin", "ExternalClientAppViewer",
    "ViewClientSecret", "CustomizeApplication", "ManageUsers", "MonitorLoginHistory", "ModifyMetadata",
    "ViewSetup", "ClientSecretRotation", "ManageRemoteAccess",
)  # fmt: skip

ADMIN_LIKE = ("ModifyAllData", "ViewAllData", "AuthorApex")
"""What an administrator has, and nobody here unless told."""


@dataclass
class Pair:
    """Consumer key and secret; `usable_from` is when its propagation ends."""

    key: str
    secret: str
    minted_at: float
    minted_by: str
    usable_from: float


@dataclass
class Entry:
    """One entry of the staged slot; `state` is Active, Rotated or Expired."""

    id: str
    pair: Pair
    state: str
    created_at: float
    expires_at: float
    created_by: str
    turned_at: float


@dataclass
class Grave:
    """A pair that is gone, and since when; it may log in until the deletion has propagated."""

    pair: Pair
    died_at: float


@dataclass
class Consumer:
    """An OAuth consumer: one primary pair, one slot (a list because strangers can break the rule)."""

    id: str
    primary: Pair
    slot: list[Entry] = field(default_factory=list)
    generated: Pair | None = None  # a classic app's, by Generate in Setup; not yet applied
    graves: list[Grave] = field(default_factory=list)


@dataclass
class App:
    """An External Client App or a classic connected app (`kind`)."""

    id: str
    name: str
    developer_name: str
    label: str
    kind: str
    consumers: list[Consumer]
    run_as: str
    flow_in_settings: bool = True
    flow_in_policies: bool = True
    enabled: bool = True
    oauth_plugin_enabled: bool = True
    admin_blocked: bool = False
    pre_authorized: bool = True
    ip_refused: bool = False
    scopes: str = "api"
    session_minutes: float = 120
    jwt_minutes: float = 30
    format: str = ""
    policy_label: str = ""
    policy_action: str = ""
    ip_relaxation: str = "Enforce"
    namespace: str = ""
    distribution: str = "Local"
    certificate: str = ""
    used: bool = False
    listed: bool = True


@dataclass
class User:
    """A user with the system permissions that count here."""

    id: str
    username: str
    name: str
    permissions: set[str]
    active: bool = True
    frozen: bool = False


@dataclass
class Login:
    """A LoginHistory row."""

    id: str
    user: str
    at: float
    application: str
    status: str
    sub_type: str


@dataclass
class Change:
    """A SetupAuditTrail row: what somebody changed in Setup."""

    id: str
    at: float
    user: str
    action: str
    section: str
    display: str


@dataclass
class Session:
    """An AuthSession row; its life slides with use."""

    id: str
    user: str
    login: str
    created_at: float
    modified_at: float
    valid_seconds: float
    jwt: bool
    ended: bool = False


@dataclass
class Token:
    """An access token; `key` is the consumer key of the pair that minted it."""

    value: str
    jwt: bool
    app: str
    consumer: str
    key: str
    user: str
    session: str
    created_at: float
    used_at: float
    expires_at: float
    uses: int
    usage_id: str
    delete_token: str
    flow: str
    ended: bool = False
    unlisted: set[str] = field(default_factory=set)


@dataclass
class Visit:
    """A user's walk through Setup: the page that stands open, and until when the mailed code and its check hold."""

    user: str = ""
    page: str = "Setup"
    app: str = ""
    code: str = ""
    code_until: float = 0.0
    verified_at: float = -1e9


@dataclass
class Org:
    """One org; everything the simulator knows about it."""

    name: str
    id: str
    my_domain: str
    url: str
    clock: Clock
    dice: Dice
    facts: Switches
    shapes: Switches
    users: list[User] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    visit: Visit = field(default_factory=Visit)
    locators: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    people: dict[str, User] = field(default_factory=dict)
    """The users by the first 15 characters of their ids: `user` makes it anew when there are more."""
    homes: dict[str, tuple[App, Consumer]] = field(default_factory=dict)
    """Where each consumer key was found last."""
    rest_secret_access: bool = True
    strict_host: bool = False
    is_sandbox: bool = False
    organization_type: str = "Unlimited Edition"
    daily_limit: int = 100_000
    calls_today: int = 0
    logins_per_hour: int = 3600
    newest_version: int = 66
    approved_apps_only: bool = False
    lock_sessions_to_ip: bool = False
    ip_ranges_every_request: bool = False

    def user(self, user_id: str) -> User:
        """The user of that id; LookupError."""
        if len(self.people) != len(self.users):
            self.people = {user.id[:15]: user for user in self.users}
        return self.people[user_id[:15]]

    def app(self, name: str) -> App | None:
        """An app by id (15 or 18 characters), short name or developer name."""
        return next((app for app in self.apps if same_id(app.id, name) or name in (app.name, app.developer_name)), None)

    def every_consumer(self) -> list[tuple[App, Consumer]]:
        """All consumers with their apps."""
        return [(app, consumer) for app in self.apps for consumer in app.consumers]

    def note(self, user_id: str, action: str, display: str, ago: float = 0) -> None:
        """A row of the Setup audit trail, `ago` seconds old."""
        number = long_id(f"0Ym{len(self.changes):012}")
        self.changes.append(Change(number, self.clock.now() - ago, user_id, action, "External Client Apps", display))

    def note_pair(self, user_id: str, action: str, display: str) -> None:
        """The same for what is done to pairs, where this org keeps it there (reference 9: unknown)."""
        if self.shapes.yes("pairs_in_setup_trail"):
            self.note(user_id, action, display)

    def live_tokens(self) -> list[Token]:
        """Tokens that would be accepted now, and whose session stands."""
        now = self.clock.now()
        return [token for token in self.tokens if not token.ended and token.expires_at > now]


class SalesforceError(Exception):
    """An error of the REST and Connect resources: status, errorCode, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class OAuthError(Exception):
    """An error of the OAuth endpoints: status, error, error_description."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description
