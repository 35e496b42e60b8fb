"""Authenticated calls to one org: logs in by itself, once more after a 401, and keeps what answers say of the org."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rotator.adapters.http import Answer
from rotator.adapters.salesforce import soap
from rotator.adapters.salesforce import token as tokens
from rotator.adapters.salesforce.failures import (
    REST,
    SOAP,
    TOKEN,
    Act,
    from_answer,
    request_id,
    said,
)
from rotator.adapters.salesforce.line import Line
from rotator.adapters.salesforce.rows import Row
from rotator.domain.errors import Refused, Unintelligible
from rotator.domain.secret import Secret

SKEW = 30.0  # seconds between our clock and the org's from which an assertion is signed again, by the org's clock


@dataclass(frozen=True, slots=True)
class Me:
    """Who the rotator is in the org, and its present token."""

    token: Secret
    org_id: str
    user_id: str


class Rest:
    """Calls with one of the rotator's own identities. Safe to share between threads.

    credentials: asked at every login, so that they may come from Vault and may be rotated themselves.
    """

    def __init__(
        self,
        line: Line,
        *,
        version: str,
        credentials: Callable[[], tokens.AdminCredentials],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.line, self.bare = line, line.bare
        self.version, self.base = version, f"/services/data/v{version}"
        self._credentials = credentials
        self._now = now
        self._me: Me | None = None
        self._good: tokens.AdminCredentials | None = None  # what logged in last
        self._login_lock = threading.Lock()

    @property
    def org_id(self) -> str:
        return self.line.org_id

    @property
    def known_user(self) -> str:
        """Our user where we have logged in; else "", without a call."""
        return self._me.user_id if self._me else ""

    @property
    def known_key(self) -> str:
        """The consumer key that we logged in with last; else "", without a call."""
        return tokens.key_of(self._good) if self._good else ""

    def me(self) -> Me:
        """Our identity, after a login where there was none yet."""
        with self._login_lock:
            if self._me is None:
                self._me = self._log_in()
            return self._me

    def call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        act: Act = Act.READ,
        params: Mapping[str, str] | None = None,
        json: object = None,
        table: Iterable[Row] = REST,
    ) -> Answer:
        """One call below `/services/data/vNN.N`, logging in when due; gives a 2xx answer.

        A 401 proves that nothing was done, so that even a write is repeated, once, with a fresh token. Raises the
        error of the failure table for everything else.
        """
        me = self.me()
        answer = self.bare(method, self.base + path, what, token=me.token, act=act, params=params, json=json)
        if answer.status == 401:
            me = self._again(me)
            answer = self.bare(method, self.base + path, what, token=me.token, act=act, params=params, json=json)
        if not 200 <= answer.status <= 299:
            raise from_answer(answer, what, table, act=act, secrets=(me.token,))
        return answer

    def soap(self, message: str, what: str, *, act: Act = Act.READ, cap: int | None = None) -> Answer:
        """One message to the Metadata API, logging in when due; gives a 2xx answer. A session that is not known
        proves that nothing was done, as a 401 does. `cap`: bytes of the answer, where it may be longer than usual."""
        me = self.me()
        answer = self._post(me, message, what, act, cap)
        if said(answer).code.upper() == "INVALID_SESSION_ID":
            me = self._again(me)
            answer = self._post(me, message, what, act, cap)
        if not 200 <= answer.status <= 299:
            raise from_answer(answer, what, SOAP, act=act, secrets=(me.token,))
        return answer

    def _post(self, me: Me, message: str, what: str, act: Act, cap: int | None) -> Answer:
        path, content = f"/services/Soap/m/{self.version}", soap.envelope(me.token, message)
        return self.line.send("POST", path, what, act, headers=soap.HEADERS, content=content, cap=cap)

    def _again(self, stale: Me) -> Me:
        with self._login_lock:
            if self._me is stale or self._me is None:
                self._me = None  # a login that fails leaves nothing behind
                self._me = self._log_in()
            return self._me

    def _log_in(self) -> Me:
        """Logs in. A pair may be rotated while we ask, and a new one may not be known everywhere yet: where it is
        refused it is read once more, and then the one that was good before is asked (it lives through the overlap)."""
        what, tried = "the rotator's own login", list[tokens.AdminCredentials]()
        for credentials in self._choices(tried):
            answer = self._ask(credentials, what)
            if answer.status == 200:
                return self._entered(answer, what, credentials)
            tried.append(credentials)
            if not tokens.is_invalid_client(answer):
                break
        raise self._refused(answer, what, credentials)

    def _choices(self, tried: Sequence[tokens.AdminCredentials]) -> Iterator[tokens.AdminCredentials]:
        """What to log in with, one after the other, each pair once; `tried` grows meanwhile."""
        yield self._credentials()
        if isinstance(tried[0], tokens.JwtBearer):
            return
        if (again := self._credentials()) not in tried:
            yield again
        if self._good is not None and self._good not in tried:
            yield self._good

    def _entered(self, answer: Answer, what: str, credentials: tokens.AdminCredentials) -> Me:
        login = tokens.login(answer, what)
        self.line.pin(login)
        if not login.token:
            raise Unintelligible(f"{what}: the answer holds no access token")
        self._good = credentials
        return Me(login.token, login.org_id, login.user_id)

    def _ask(self, credentials: tokens.AdminCredentials, what: str) -> Answer:
        """Asks for a token; an assertion that the org finds out of date is signed once more by the org's own clock."""
        now = self._now()
        answer = self.bare("POST", tokens.TOKEN_PATH, what, form=tokens.admin_form(credentials, self.line.origin, now))
        theirs = self.line.time()
        skewed = theirs is not None and abs((theirs - now).total_seconds()) > SKEW
        if isinstance(credentials, tokens.JwtBearer) and 400 <= answer.status <= 401 and theirs and skewed:
            form = tokens.admin_form(credentials, self.line.origin, theirs)
            answer = self.bare("POST", tokens.TOKEN_PATH, what, form=form)
        return answer

    def _refused(self, answer: Answer, what: str, credentials: tokens.AdminCredentials) -> Exception:
        if tokens.is_invalid_client(answer):
            return Refused(
                f"{what}: the org does not accept the rotator's own pair (HTTP {answer.status})",
                fix="put the pair of the rotator's own app where `admin` in the org's table says; wait ten minutes "
                "where the app is new",
                code="own_login",
                http_status=answer.status,
                request_id=request_id(answer),
            )
        return from_answer(answer, what, TOKEN, secrets=tokens.admin_secrets(credentials))
