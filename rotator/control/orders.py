"""Orders: rotations that a caller wants, handed to the daemon and followed to their rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rotator.control import answers, calls
from rotator.control.bodies import Driven, Follow
from rotator.control.calls import Begun, Call
from rotator.control.desk import Desk, Lent
from rotator.control.following import ALIVE, PACE, Followed, Following
from rotator.control.routes import EVENTS, LINES, Order
from rotator.domain.errors import UsageError
from rotator.wiring.errand import Errand

MOST = 32  # calls that wait at once; each costs two small reads in ten a second


class Orders:
    """`stopping`: whether the daemon stops, which ends every answer with what is known then."""

    def __init__(self, desk: Desk, stopping: Callable[[], bool]) -> None:
        self._desk, self._stopping = desk, stopping
        self._waiting = 0

    async def take(self, order: Order, call: Call, request: Request) -> Response:
        """Begins what is asked and puts it on the board. A document in the end, or lines of progress where the caller
        accepts them. Raises what is wrong with the order; from then on errors stand in the document."""
        asked: Driven = call.asked
        self._must_have_room()
        end = asyncio.get_running_loop().time() + (asked.timeout.total_seconds() if asked.timeout else float("inf"))
        following = await run_in_threadpool(self._begin, order, call, end)
        if LINES in request.headers.get("accept", ""):
            return StreamingResponse(self._counted(_lines(following.news())), media_type=LINES)
        async for line in self._counted(following.news()):
            if line["kind"] == "result":
                return answers.document(line["document"])
            if await request.is_disconnected():
                break
        return Response(status_code=400)  # nobody reads it; the daemon goes on

    def _begin(self, order: Order, call: Call, end: float) -> Following:
        with self._desk.lend() as lent:
            since = lent.connections.now()
            begun: Begun = order(lent, call)
            for errand in begun.errands:
                self._desk.work_at(errand, _org_of(lent, errand), forced=begun.forced)
        followed = [Followed(errand, since) for errand in begun.errands]
        return Following(self._desk, followed, call.asked.wait, end, self._stopping, begun.tell, begun.warnings)

    async def follow(self, call: Call, request: Request) -> Response:
        """The rows of one rotation, as they are written. Raises NotFound."""
        asked: Follow = call.asked
        self._must_have_room()
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isdecimal() and len(last) < 16 else asked.after
        await run_in_threadpool(self._rows, call.rotation_id, after)
        return StreamingResponse(self._counted(self._events(call.rotation_id, after, asked.follow)), media_type=EVENTS)

    async def _events(self, rotation_id: str, after: int, follow: bool) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        told = loop.time()
        while True:
            rows, ended = await run_in_threadpool(self._rows, rotation_id, after)
            for row in rows:
                after, told = row["seq"], loop.time()
                yield f"id: {after}\nevent: step\ndata: {_json(row)}\n\n"
            if ended or not follow or self._stopping():
                return
            if loop.time() - told > ALIVE:
                told = loop.time()
                yield ": alive\n\n"
            await asyncio.sleep(PACE * 3)

    def _rows(self, rotation_id: str, after: int) -> tuple[list[dict[str, Any]], bool]:
        """Its new rows, and whether it had ended before they were read."""
        with self._desk.lend() as lent:
            ended = calls.found(lent, rotation_id).ended
            return list(lent.connections.trail.history(rotation_id=rotation_id, after=after)), ended

    def _must_have_room(self) -> None:
        if self._waiting >= MOST:
            raise UsageError(f"{MOST} calls wait already", code="too_many", fix="ask with wait = false, or later")

    async def _counted(self, inner: AsyncIterator[Any]) -> AsyncIterator[Any]:
        self._waiting += 1
        try:
            async for item in inner:
                yield item
        finally:
            self._waiting -= 1


async def _lines(news: AsyncIterator[Mapping[str, object]]) -> AsyncIterator[str]:
    async for line in news:
        yield _json(line) + "\n"


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)


def _org_of(lent: Lent, errand: Errand) -> str:
    """The org whose turn it takes; of an app that was taken out of the configuration, that of its open rotation."""
    known = lent.connections.apps.get(errand.app)
    if known is not None:
        return known.org
    return next((row.org for row in lent.connections.ledger.rotations(app=errand.app)), "")
