"""The servers of one Vault cluster: which of them is asked, and when another is asked instead."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rotator.adapters.http import Answer, Http, Lost, NotSent
from rotator.adapters.vault.call import Call, Kind, Reply, body_of
from rotator.adapters.vault.failures import Row, failure, row_for, unreached
from rotator.domain.errors import RotatorError
from rotator.domain.secret import Secret

# A read that a server cannot answer yet (412) is repeated once with the wish that the active one answers it
# (Vault documentation, "Consistency": X-Vault-Inconsistent).
FORWARD = {"X-Vault-Inconsistent": "forward-active-node"}


class Servers:
    """Sends calls to the first server that serves. Safe to share between threads.

    A read goes on to the next server where this one could not be reached or says that it does not serve. A write
    goes on only where not a byte of it was sent; else the next call begins at the next server.
    """

    def __init__(self, https: Sequence[Http], namespace: str = "") -> None:
        self._https = tuple(https)
        self._namespace = namespace
        self._first = 0
        self._seen = _Index()

    def send(self, call: Call, token: Secret | None) -> Reply:
        """Gives a success, or a 404 of Vault's to a read. Raises what the table of failures says."""
        first = self._first
        last: RotatorError | None = None
        for turn in range(len(self._https)):
            place = (first + turn) % len(self._https)
            found = self._try(place, call, token)
            if isinstance(found, Reply):
                self._first = place
                return found
            last, go_on = found
            if not go_on:
                break
        assert last is not None  # noqa: S101 - there is at least one server
        raise last

    def _try(self, place: int, call: Call, token: Secret | None) -> Reply | tuple[RotatorError, bool]:
        """A reply, or the error and whether another server may be asked."""
        try:
            answer = self._ask(self._https[place], call, token)
        except NotSent as error:
            self._turn(place)
            return unreached(call, error), error.reason not in ("tls", "protocol")
        except Lost as error:
            self._turn(place)
            return unreached(call, error), False
        reply = _understood(call, answer)
        if isinstance(reply, Reply):
            return reply
        if reply.elsewhere:
            self._turn(place)
        return failure(reply, call, answer), reply.elsewhere and call.kind is not Kind.WRITE

    def _turn(self, place: int) -> None:
        self._first = (place + 1) % len(self._https)

    def _ask(self, http: Http, call: Call, token: Secret | None) -> Answer:
        headers = {"X-Vault-Request": "true", **call.headers}
        if token is not None:
            headers["X-Vault-Token"] = token.reveal()
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        if call.kind is Kind.READ and self._seen.index:
            headers["X-Vault-Index"] = self._seen.index
        answer = _call(http, call, headers)
        if answer.status == 412 and call.kind is Kind.READ:
            answer = _call(http, call, headers | FORWARD)
        if call.kind is not Kind.READ and 200 <= answer.status < 300:
            self._seen.index = answer.headers.get("x-vault-index", "") or self._seen.index
        return answer

    def close(self) -> None:
        for http in self._https:
            http.close()


class _Index(threading.local):
    """Vault's mark of the last write of this thread, so that its next read sees it on whatever server. A thread's
    own: another thread's older mark must not replace it."""

    index = ""


def _call(http: Http, call: Call, headers: dict[str, str]) -> Answer:
    return http.call(call.method, call.path, headers=headers, params=call.params or None, json=call.json)


def _understood(call: Call, answer: Answer) -> Reply | Row:
    body = body_of(answer)
    if body is not None and 200 <= answer.status < 300:
        return Reply(answer.status, body)
    row = row_for(call, answer)
    # KV v2 answers a read of a deleted version with 404 and its metadata: the caller wants to see it.
    if row.code == "not_found" and call.method == "GET" and body is not None:
        return Reply(404, body)
    return row
