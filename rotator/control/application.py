"""The ASGI application: who calls, whether they may, what they ask, what they get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Place
from starlette.types import ASGIApp, Receive, Scope, Send

from rotator import log
from rotator.control import answers, openapi
from rotator.control.bodies import parsed
from rotator.control.callers import Caller, Doorkeeper, Peer, Role, peer_of
from rotator.control.calls import Call
from rotator.control.connections import BODY_BYTES, BODY_S, TRANSPORT, certificate_of, patient
from rotator.control.desk import Desk
from rotator.control.orders import Orders
from rotator.control.routes import ROUTES, Route
from rotator.control.tokens import Registry
from rotator.domain.errors import RotatorError, UsageError
from rotator.domain.event import Event
from rotator.domain.words import Outcome, Phase

LOG = log.get("control")
BEHIND = "rotator-sudo-user"  # whom root acts for
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Surface:
    """Everything that an answer needs. `version` is told in each."""

    desk: Desk
    doorkeeper: Doorkeeper
    registry: Registry
    orders: Orders
    version: str
    routes: Sequence[Route] = ROUTES

    def application(self) -> ASGIApp:
        """The application."""
        places = [Place(route.path, guarded(partial(self.answer, route)), methods=[route.method])
                  for route in self.routes]  # fmt: skip
        return Bounded(Starlette(routes=places, exception_handlers={HTTPException: no_such_call}), self.version)

    async def answer(self, route: Route, request: Request) -> Response:
        """One call. Raises what is wrong with it."""
        caller = await run_in_threadpool(self._admit, route, request)
        given = await _body(request) if route.method == "POST" else _query(request)
        call = Call(caller, parsed(route.takes, given), request.path_params.get("rotation_id", ""))
        if route.name == "openapi":
            return answers.document(openapi.document(self.routes, self.version))
        if route.name == "metrics":
            page, kind = await run_in_threadpool(self.desk.metrics)
            return Response(page, media_type=kind)
        if route.name == "follow":
            return await self.orders.follow(call, request)
        if route.order is not None:
            return await self.orders.take(route.order, call, request)
        return answers.document(await run_in_threadpool(self._look, route, call))

    def _look(self, route: Route, call: Call) -> dict[str, object]:
        with self.desk.lend() as lent:
            if route.look is None:
                raise RotatorError(f"{route.name} is answered by nobody")
            return route.look(self.desk, lent, call)

    def _admit(self, route: Route, request: Request) -> Caller:
        """Who calls. Raises UsageError where that is not known, or they may not; then the trail has a row of it."""
        if route.role is Role.NONE:
            return Caller("anybody", Role.NONE)
        caller = self._caller(request)
        if caller.role < route.role:
            no = self.doorkeeper.no(caller, route.role)
            self._note(route, caller, no)
            raise no
        return caller

    def _caller(self, request: Request) -> Caller:
        transport = request.scope[TRANSPORT]
        if request.scope["scheme"] == "https":
            return self.registry.caller(request.headers.get("authorization", ""), certificate_of(transport))
        peer: Peer = peer_of(transport.get_extra_info("socket"))
        return self.doorkeeper.caller(peer, request.headers.get(BEHIND, ""))

    def _note(self, route: Route, caller: Caller, no: UsageError) -> None:
        LOG.warning(log.Word.REFUSED_CALL, actor=caller.name, origin=caller.origin, command=route.name)
        evidence = {"command": route.name, "code": no.code, "role": caller.role.name.lower()}
        event = Event("refused_command", Phase.DECISION, Outcome.REFUSED, error=no.message, evidence=evidence)
        with self.desk.lend() as lent:
            lent.connections.trail.record(event, Call(caller, None).who())


async def _body(request: Request) -> Any:
    """The JSON of a body. Raises UsageError: too large, too slow, no JSON."""
    taken = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                taken += chunk
                if len(taken) > BODY_BYTES:
                    raise UsageError(f"the body is larger than {BODY_BYTES} bytes", code="too_large", fix="send less")
    except TimeoutError:
        raise UsageError("the body came too slowly", code="too_slow", fix="send it at once") from None
    try:
        return json.loads(taken, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UsageError("the body is no JSON", code="bad_request", fix="send one JSON object: /openapi.json") from None


def _no_constant(_word: str) -> None:
    raise ValueError("JSON knows no NaN")


def _query(request: Request) -> dict[str, str]:
    """The query. Raises UsageError where a name stands twice."""
    pairs = request.query_params.multi_items()
    if len(dict(pairs)) != len(pairs):
        raise UsageError("a name stands twice in the query", code="bad_request", fix="see /openapi.json")
    return dict(pairs)


def guarded(handler: Handler) -> Handler:
    """The handler, with every error as an answer."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except RotatorError as failed:
            return answers.error(failed)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as failed:  # a defect: the other calls go on
            return answers.defect(failed)

    return endpoint


def no_such_call(_request: Request, failed: Exception) -> Response:
    """404 and 405, as the contract has errors."""
    wrong_method = isinstance(failed, HTTPException) and failed.status_code == 405
    code, words = ("wrong_method", "another method is wanted") if wrong_method else ("no_such_call", "no such call")
    allowed = dict(failed.headers or {}) if isinstance(failed, HTTPException) else {}
    return answers.error(UsageError(words, code=code, fix="see /openapi.json"), allowed)


class Bounded:
    """The outermost layer: a client that does not read is cut; every answer names the version, and is kept nowhere."""

    def __init__(self, inner: ASGIApp, version: str) -> None:
        self._inner = inner
        self._headers = [(answers.VERSION.encode(), version.encode()), (b"cache-control", b"no-store"),
                         (b"x-content-type-options", b"nosniff")]  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pushing = patient(send, scope[TRANSPORT])

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await pushing(message)

        await self._inner(scope, receive, sending)


