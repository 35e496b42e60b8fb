"""The line to one org: calls with any token or none, and what answers say of the org whoever asked."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rotator.adapters.http import Answer, Http, TransportError
from rotator.adapters.salesforce.failures import Act, from_transport, http_date, request_id
from rotator.adapters.salesforce.ids import long_id, same
from rotator.domain.errors import Refused, Unintelligible
from rotator.domain.secret import Secret
from rotator.domain.session import Login


class _Last(threading.local):
    request_id = ""


class Line:
    """Shared by the identities that the rotator has in one org, and by threads; the request id is each thread's own.

    org_id: the pinned org; "" pins whatever answers first.
    """

    def __init__(self, http: Http, *, org_id: str = "", monotonic: Callable[[], float] = time.monotonic) -> None:
        self.origin = http.origin
        self.org_id = long_id(org_id)  # of 18 characters; "" before the first login of an org that nobody pinned
        self.limit_info: Mapping[str, tuple[int, int]] = {}
        self.limits_read = float("-inf")  # when, by the monotonic clock
        self._http = http
        self._monotonic = monotonic
        self._date: tuple[datetime, float] | None = None
        self._last = _Last()

    @property
    def request_id(self) -> str:
        return self._last.request_id

    def time(self) -> datetime | None:
        """The org's clock: its last `Date`, moved on by the time since."""
        seen = self._date
        return seen[0] + timedelta(seconds=self._monotonic() - seen[1]) if seen else None

    def pin(self, login: Login) -> None:
        """Compares the org of an own login with the pinned one, which it becomes where none is.

        Raises Refused for another org, Unintelligible where the answer does not say which.
        """
        if not login.org_id:
            raise Unintelligible("the rotator's own login: the answer does not say which org this is")
        if not self.org_id:
            self.org_id = login.org_id
        if not same(self.org_id, login.org_id):
            raise Refused(
                f"this host belongs to org {login.org_id}, and {self.org_id} is pinned",
                fix="a refreshed sandbox? put the new id into `org_id`, then `rotator adopt` each app",
                code="org_mismatch",
            )

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
        return self.send(method, path, what, act, headers=headers, params=params, json=json, form=form)

    def send(self, method: str, path: str, what: str, act: Act, **request: Any) -> Answer:
        """The same for any request that `Http.call` takes."""
        self._last.request_id = ""
        try:
            answer = self._http.call(method, path, **request)
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
            self.limits_read = self._monotonic()


def limits_of(header: str) -> dict[str, tuple[int, int]]:
    """`Sforce-Limit-Info` as name -> (used, of); members that are not understood are left out (reference 7)."""
    found = re.findall(r"([a-z-]{1,40})=(\d{1,12})/(\d{1,12})", header[:2000])
    return {name: (int(used), int(most)) for name, used, most in found}
