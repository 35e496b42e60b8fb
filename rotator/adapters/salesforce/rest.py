"""Authenticated calls to one org: logs in by itself, once more after a 401, and keeps what answers say of the org."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rotator.adapters.http import Answer, Http, TransportError
from rotator.adapters.salesforce import token as tokens
from rotator.adapters.salesforce.failures import REST, TOKEN, Act, from_answer, from_transport, http_date, request_id
from rotator.adapters.salesforce.ids import long_id, same
from rotator.adapters.salesforce.rows import Row
from rotator.domain.errors import Refused, Unintelligible
from rotator.domain.secret import Secret
from rotator.domain.session import Login

SKEW = 30.0  # seconds between our clock and the org's from which an assertion is signed again, by the org's clock


@dataclass(frozen=True, slots=True)
class Me:
    """Who the rotator is in the org, and its present token."""

    token: Secret
    org_id: str
    user_id: str


class _Last(threading.local):
    request_id = ""


class Rest:
    """Calls with the rotator's own identity. Safe to share between threads; the request id is each thread's own.

    credentials: asked at every login, so that they may come from Vault and may be rotated themselves. org_id: the
    pinned org; "" pins whatever answers first.
    """

    def __init__(
        self,
        http: Http,
        *,
        version: str,
        credentials: Callable[[], tokens.AdminCredentials],
        org_id: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base = f"/services/data/v{version}"
        self.limit_info: Mapping[str, tuple[int, int]] = {}
        self._http = http
        self._credentials = credentials
        self._org_id = long_id(org_id)
        self._now = now
        self._monotonic = monotonic
        self._me: Me | None = None
        self._login_lock = threading.Lock()
        self._date: tuple[datetime, float] | None = None
        self._last = _Last()

    @property
    def request_id(self) -> str:
        return self._last.request_id

    @property
    def org_id(self) -> str:
        """The pinned org's id of 18 characters; "" before the first login of an org that nobody pinned."""
        return self._org_id

    def time(self) -> datetime | None:
        """The org's clock: its last `Date`, moved on by the time since."""
        seen = self._date
        return seen[0] + timedelta(seconds=self._monotonic() - seen[1]) if seen else None

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

    def bare(
        self,
        method: str,
        path: str,
        what: str,
        *,
        token: Secret | None = None,
        act: Act = Act.READ,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call with this token or none; gives an answer of any status. Raises where no whole answer came."""
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token.reveal()}"
        self._last.request_id = ""
        try:
            answer = self._http.call(method, path, headers=headers, params=params, json=json, form=form)
        except TransportError as error:
            raise from_transport(error, what, act=act) from None
        self._note(answer)
        return answer

    def _note(self, answer: Answer) -> None:
        self._last.request_id = request_id(answer) or ""
        moment = http_date(answer.headers.get("date", ""))
        if moment:
            self._date = (moment, self._monotonic())
        if "sforce-limit-info" in answer.headers:
            self.limit_info = limits_of(answer.headers["sforce-limit-info"])

    def _again(self, stale: Me) -> Me:
        with self._login_lock:
            if self._me is stale or self._me is None:
                self._me = None  # a login that fails leaves nothing behind
                self._me = self._log_in()
            return self._me

    def _log_in(self) -> Me:
        what = "the rotator's own login"
        credentials = self._credentials()
        answer = self._ask(credentials, what)
        if answer.status != 200:
            raise self._refused(answer, what, credentials)
        login = tokens.login(answer, what)
        self._pin(login)
        if not login.token:
            raise Unintelligible(f"{what}: the answer holds no access token")
        return Me(login.token, login.org_id, login.user_id)

    def _ask(self, credentials: tokens.AdminCredentials, what: str) -> Answer:
        """Asks for a token; an assertion that the org finds out of date is signed once more by the org's own clock."""
        now = self._now()
        answer = self.bare("POST", tokens.TOKEN_PATH, what, form=tokens.admin_form(credentials, self._http.origin, now))
        theirs = self.time()
        skewed = theirs is not None and abs((theirs - now).total_seconds()) > SKEW
        if isinstance(credentials, tokens.JwtBearer) and 400 <= answer.status <= 401 and theirs and skewed:
            form = tokens.admin_form(credentials, self._http.origin, theirs)
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

    def _pin(self, login: Login) -> None:
        if not login.org_id:
            raise Unintelligible("the rotator's own login: the answer does not say which org this is")
        if not self._org_id:
            self._org_id = login.org_id
        if not same(self._org_id, login.org_id):
            raise Refused(
                f"this host belongs to org {login.org_id}, and {self._org_id} is pinned",
                fix="a refreshed sandbox? put the new id into `org_id`, then see `rotator check` for each app",
                code="org_mismatch",
            )


def limits_of(header: str) -> dict[str, tuple[int, int]]:
    """`Sforce-Limit-Info` as name -> (used, of); members that are not understood are left out (reference 7)."""
    found = re.findall(r"([a-z-]{1,40})=(\d{1,12})/(\d{1,12})", header[:2000])
    return {name: (int(used), int(most)) for name, used, most in found}
