"""ports.Salesforce over one org's REST interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from rotator.adapters.http import Answer, Http
from rotator.adapters.salesforce import classic, evidence, lookup, queries, sessions, wire
from rotator.adapters.salesforce import token as tokens
from rotator.adapters.salesforce.census import Census, Mentions
from rotator.adapters.salesforce.failures import REST, STAGE, TOKEN, Act, from_answer, said, unintelligible
from rotator.adapters.salesforce.ids import is_id, long_id, same
from rotator.adapters.salesforce.line import Line
from rotator.adapters.salesforce.metadata import Metadata
from rotator.adapters.salesforce.paths import path_of, staged_path
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.users import Users
from rotator.domain.errors import ConfigError, NotFound, Refused, Unintelligible
from rotator.domain.inventory import Source
from rotator.domain.pair import Author, Consumer, Pair, Staged
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Holders, Lever, Listing, Login, Probe, Usage
from rotator.domain.sight import Kind, Sight

T = TypeVar("T")

_DEAD = ("invalid_session_id", "session expired or invalid")


class SalesforceOrg:
    """One org, seen with the rotator's own identities. Safe to share between threads.

    http: to the org's My Domain host, the only host that is ever called; instance_url and every other URL of an
    answer are not followed. version: `65.0` or newer. credentials: asked at each login. responder: the identity for
    sessions and metadata; None: the same. org_id: the pinned org, "" to pin the first answer's; read it back from
    `org_id`. Errors as ports.Salesforce says; `org_mismatch` where the host answers for another org.
    """

    def __init__(
        self,
        http: Http,
        *,
        credentials: Callable[[], tokens.AdminCredentials],
        responder: Callable[[], tokens.AdminCredentials] | None = None,
        version: str = "65.0",
        org_id: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = Line(http, org_id=org_id, monotonic=monotonic)
        self._rest = Rest(self._line, version=version, credentials=credentials, now=now)
        self._responder = self._rest
        if responder:
            self._responder = Rest(self._line, version=version, credentials=responder, now=now)
        self._metadata, self.users = Metadata(self._responder), Users(self._responder)
        self._http, self._now = http, now
        self._names: frozenset[str] | None = None

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    # -- the port -----------------------------------------------------------------------------------------------

    def find(self, app: str, consumer: str) -> Consumer:
        """`app`: developer name or 0xI id. `consumer`: its 888 id or its present key; "" where it has just one."""
        return lookup.find(self._rest, app, consumer)

    def find_by_key(self, key: str, app: str = "") -> Consumer:
        """The consumer with this primary key; all apps are looked through unless `app` is known. Raises ConfigError."""
        return lookup.find_by_key(self._rest, key, app)

    def find_classic(self, app: str) -> Consumer:
        """A classic connected app by its name or 0H4 id; `assisted` where no API serves its pair."""
        return lookup.find_classic(self._rest, app)

    def primary(self, consumer: Consumer, *, with_secret: bool = False) -> Pair:
        """GET credentials/{app}/{consumer}?part=key or keyandsecret (reference 6.3)."""
        params = {"part": "keyandsecret" if with_secret else "key"}
        what = "reading the primary pair"
        answer = self._rest.call("GET", path_of(consumer), what, params=params)
        pair = _read(answer, what, lambda body: wire.pair(wire.as_object(body)))
        return pair if with_secret else Pair(pair.key)

    def slot(self, consumer: Consumer) -> tuple[Staged, ...]:
        """GET staged (reference 6.4); both a 404 and an empty list mean none."""
        what = "reading the staged slot"
        try:
            answer = self._rest.call("GET", path_of(consumer) + "/staged", what)
        except NotFound:
            return ()
        return _read(answer, what, lambda body: tuple(wire.staged(row, self._author) for row in wire.staged_rows(body)))

    def stage(self, consumer: Consumer) -> Staged:
        """POST staged, with a body of `{}`: a POST without one hangs (reference 6.4)."""
        what = "staging a pair"
        answer = self._rest.call("POST", path_of(consumer) + "/staged", what, act=Act.WRITE, json={}, table=STAGE)
        found = _read(answer, what, wire.staged_rows, act=Act.WRITE)
        if len(found) != 1:
            raise unintelligible(what, f"the answer holds {len(found)} pairs", answer, act=Act.WRITE)
        return _read(answer, what, lambda _: wire.staged(found[0], _ours, fresh=True), act=Act.WRITE)

    def promote(self, consumer: Consumer, staged_id: str) -> None:
        """PATCH staged/{id} `{"command": "rotate"}`; what the answer holds is not relied on (reference 12)."""
        path, command = staged_path(consumer, staged_id), {"command": "rotate"}
        self._rest.call("PATCH", path, "promoting the staged pair", act=Act.WRITE, json=command)

    def delete(self, consumer: Consumer, staged_id: str) -> None:
        """DELETE staged/{id}: kills the pair that stands there now, whichever that is; a 404 is success."""
        path = staged_path(consumer, staged_id)
        try:
            self._rest.call("DELETE", path, "deleting the staged entry", act=Act.WRITE)
        except NotFound:
            return

    def login(self, pair: Pair) -> Login:
        """One client credentials request with this pair (reference section 1)."""
        what, secret = "logging in with the pair", tokens.needs_secret(pair)
        answer = self._line.bare("POST", tokens.TOKEN_PATH, what, form=tokens.pair_form(pair.key, secret))
        if answer.status == 200:
            return tokens.login(answer, what)
        if tokens.is_invalid_client(answer):
            return Login(accepted=False, at=self._line.time())
        raise from_answer(answer, what, TOKEN, secrets=(secret,))

    def probe(self, token: Secret, kind: str) -> Probe:
        """`limits`: 401 INVALID_SESSION_ID is death (reference 3.1). `userinfo`: 403 Bad_OAuth_Token is (3.2)."""
        paths = {"limits": self._rest.base + "/limits", "userinfo": "/services/oauth2/userinfo"}
        if kind not in paths:
            raise ConfigError(f"no probe is called {kind!r}; there are: {', '.join(paths)}")
        what = f"calling {kind} with a token"
        answer = self._line.bare("GET", paths[kind], what, token=token)
        if answer.status == 200:
            _read(answer, what, wire.as_object)
            return Probe.ALIVE
        words = said(answer).words
        if answer.status == 401 and any(word in words for word in _DEAD):
            return Probe.DEAD
        if kind == "userinfo" and answer.status in (401, 403) and "bad_oauth_token" in words:
            return Probe.DEAD
        if answer.status == 401:
            raise unintelligible(what, "a 401 that does not say that the token is dead", answer)
        raise from_answer(answer, what, REST, secrets=(token,))

    def grants(self, consumer: Consumer, user_id: str, lever: Lever) -> Listing:
        """Usage tokens, OauthToken rows or AuthSession rows of this app and user (reference section 4)."""
        if not is_id(user_id):
            raise ConfigError("a listing needs the id of a user")
        own = {rest.known_user for rest in (self._rest, self._responder)}
        return sessions.listing(self._responder, consumer, long_id(user_id), lever, own)

    def holders(self, consumer: Consumer) -> Holders:
        """By the usage resource and OauthToken; the run-as user by the app's policies (reference 4.1, 4.3, 8)."""
        return evidence.holders(self._responder, consumer)

    def sight(self, consumer: Consumer, user_id: str, kind: Kind, since: datetime) -> Sight:
        """AuthSession, LoginHistory, the listings of tokens, or SetupAuditTrail (reference 4, 9)."""
        return evidence.sight(self._responder, consumer, user_id, kind, since)

    def end(self, consumer: Consumer, grant: Grant) -> None:
        """Ends one grant by its lever. An `own` one is refused: it would log the rotator out."""
        sessions.end(self._responder, grant)

    def blocked(self, consumer: Consumer) -> bool:
        """Whether the app's OAuth switch is off (reference 5.3); one or two reads through the Metadata API."""
        return self._metadata.blocked(consumer)

    def set_blocked(self, consumer: Consumer, blocked: bool) -> None:
        """Turns the app's OAuth switch: the component is read and written back whole."""
        self._metadata.set_blocked(consumer, blocked)

    def time(self) -> datetime | None:
        return self._line.time()

    @property
    def request_id(self) -> str:
        return self._line.request_id

    # -- for checks and wiring ------------------------------------------------------------------------------------

    @property
    def org_id(self) -> str:
        """The org's id, 18 characters; "" before the first login where none is pinned."""
        return self._line.org_id

    @property
    def user_id(self) -> str:
        """The rotator's own user; logs in where it has not yet."""
        return self._rest.me().user_id

    @property
    def responder_id(self) -> str:
        """The user of the responder's identity, which may be the same; logs in where it has not yet."""
        return self._responder.me().user_id

    @property
    def own_key(self) -> str:
        """The consumer key that the rotator is logged in with; "" before the first login."""
        return self._rest.known_key

    @property
    def limit_info(self) -> Mapping[str, tuple[int, int]]:
        """`Sforce-Limit-Info` of the last answer that had one: name -> (used, of)."""
        return self._line.limit_info

    @property
    def usage(self) -> Usage | None:
        """How much of its daily API requests the org has used, by its last answer that said so (reference 7)."""
        used, most = self._line.limit_info.get("api-usage", (0, 0))
        return Usage(used, most, self._line.limits_read) if most else None

    def versions(self) -> tuple[str, ...]:
        """The API versions of the host, ascending. Needs no login and proves nothing (reference 3.1)."""
        what = "reading the API versions"
        answer = self._line.bare("GET", "/services/data", what)
        if answer.status != 200:
            raise from_answer(answer, what, REST)
        return _read(answer, what, wire.versions)

    def limits(self) -> Mapping[str, tuple[int, int]]:
        """The org's limits: name -> (most, remaining)."""
        what = "reading the limits"
        return _read(self._rest.call("GET", "/limits", what), what, wire.numbers)

    def run_as_users(self) -> Mapping[str, str]:
        """Whom the apps' flows run as: by 0xI id and by developer name (reference section 8, row 9)."""
        return evidence.run_as_users(self._responder)

    def app_id(self, app: str) -> str:
        """The 0xI id of the app of this name or id. Raises ConfigError where it is not found exactly once."""
        return lookup.find_app(self._rest, app).id

    def consumers(self, app_id: str, name: str, label: str) -> Sequence[tuple[Consumer, str]]:
        """Every consumer of an External Client App with its present key. Raises ConfigError where it has no OAuth."""
        return lookup.with_keys(self._rest, lookup.App(app_id, name, label))

    def mentions(self, source: Source) -> Mentions:
        """The apps that one listing of the org names, page by page; in the end, whether these were all."""
        now = self._line.time() or self._now()
        return Census(self._rest, self._responder, self._metadata, now).mentions(source)

    def classic_staging(self) -> bool | None:
        """Whether the credentials resources serve classic connected apps; None where the org has none. Reads."""
        return classic.staging(self._rest)

    def query(self, soql: str, limit: int = 2000) -> tuple[Mapping[str, object], ...]:
        """The rows of a SOQL query, at most about `limit`. The caller quotes values with `queries.quoted`."""
        return queries.query(self._rest, soql, "a query", limit).rows[:limit]

    def logins_since(self, user_id: str, since: datetime) -> int:
        """How many rows LoginHistory has of this user (reference 9); the count is not bound by a cap on rows."""
        where = f"UserId = {queries.quoted(user_id)} AND LoginTime >= {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return queries.count(self._responder, "LoginHistory", where, "counting logins")

    def org_settings(self, kind: str, name: str) -> Mapping[str, str]:
        """A settings component of the Metadata API; a part within a part is named `part.inner`. Empty where the org
        has none."""
        return self._metadata.settings(kind, name)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _author(self, created_by: str) -> Author:
        """createdBy is an id or a name, and may be missing (reference 6.5)."""
        if not created_by:
            return Author.UNKNOWN
        me = self._rest.me().user_id
        if is_id(created_by):
            return Author.US if same(created_by, me) else Author.THEM
        if self._names is None:
            self._names = self._own_names(me)
        if not self._names:
            return Author.UNKNOWN
        return Author.US if created_by.lower() in self._names else Author.THEM

    def _own_names(self, me: str) -> frozenset[str]:
        """Our user name and display name, asked once where the org writes names; nothing where it does not let us
        look. Raises Unavailable: what was not looked at is not remembered."""
        soql = f"SELECT Id, Username, Name FROM User WHERE Id = {queries.quoted(me)}"  # noqa: S608 - quoted
        try:
            rows = queries.query(self._rest, soql, "reading the rotator's own user").rows
        except (Refused, Unintelligible):
            return frozenset()
        return frozenset(
            name.lower() for row in rows for name in (wire.text(row, "Username"), wire.text(row, "Name")) if name
        )


def _ours(created_by: str) -> Author:
    return Author.US


def _read(answer: Answer, what: str, parse: Callable[[object], T], *, act: Act = Act.READ) -> T:
    try:
        return parse(wire.body(answer))
    except wire.Unreadable as error:
        raise unintelligible(what, str(error), answer, act=act) from None
