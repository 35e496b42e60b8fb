"""The gate every request to an org or the Vault passes: history, latency, pauses, faults, effect, watch, answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from rotator.simulator.clock import Clock
from rotator.simulator.wire import hostile
from rotator.simulator.wire.call import Call, Reply
from rotator.simulator.wire.faults import Fault, Schedule
from rotator.simulator.wire.history import History, Record
from rotator.simulator.wire.line import Line
from rotator.simulator.wire.pauses import Pauses, hold

GB = 1 << 30
STATUS_BODY = {"org": [{"errorCode": "SERVER_UNAVAILABLE", "message": "injected"}], "vault": {"errors": ["injected"]}}


class Gate:
    """One for the whole simulator. `answer` applies a request to the state; `watch` looks at the world after it."""

    def __init__(self, clock: Clock, answer: Callable[[Call], Reply], watch: Callable[[Call, Reply], None]) -> None:
        self.clock, self.answer, self.watch = clock, answer, watch
        self.history, self.schedule, self.pauses = History(), Schedule(), Pauses()
        self.latency_s: dict[str, float] = {}

    def site(self, name: str) -> Callable[[Scope, Receive, Send], object]:
        """The ASGI application of a site: `org:NAME`, `vault` or `trap`."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                line = Line(scope, receive, send)
                await self.serve(await line.read(name), line)

        return application

    async def serve(self, call: Call, line: Line) -> None:
        """One request from its arrival to its answer, or to the end of its connection."""
        record = self.history.open(call, self.clock.now())
        fault, pause = self.schedule.pick(call), self.pauses.chosen(call)
        record.fault = fault.kind if fault else ""
        waits = self.latency_s.get(call.site.split(":")[0], self.latency_s.get("", 0.0))
        if waits:
            await asyncio.sleep(waits)
        if not await hold(pause, "before", call, record.purpose, line):
            record.client_gone = True
            if pause and pause.lands:
                self.apply(call, record)
        else:
            reply = await self.act(call, record, fault)
            if await hold(pause, "after", call, record.purpose, line):
                await self.respond(line, fault, reply)
            else:
                record.client_gone = True
        self.land(call.n)

    async def act(self, call: Call, record: Record, fault: Fault | None) -> Reply:
        """Apply the request unless its fault says otherwise; gives what would be answered."""
        kind = fault.kind if fault else ""
        if fault and kind == "slow":
            await asyncio.sleep(float(fault.args.get("seconds", 1)))
        if fault and kind == "late":
            self.schedule.postpone(fault, call, self.clock.now())
            return Reply(503)
        if fault and kind in ("before", "redirect", "status", "hang") and not fault.applied():
            return Reply(503)
        return self.apply(call, record)

    def apply(self, call: Call, record: Record) -> Reply:
        """The effect, then the watch: nothing comes between them."""
        reply = self.answer(call)
        self.history.applied(record, reply)
        self.watch(call, reply)
        return reply

    def land(self, n: int) -> None:
        """Let late requests take effect whose time has come."""
        for late in self.schedule.due(n, self.clock.now()):
            record = next((r for r in self.history.records if r.n == late.call.n), None)
            record = record or self.history.open(late.call, self.clock.now())
            record.late = True
            self.apply(late.call, record)

    async def respond(self, line: Line, fault: Fault | None, reply: Reply) -> None:
        """Send the answer, or what the fault makes of it."""
        kind, args = (fault.kind, fault.args) if fault else ("", {})
        if kind in ("before", "after") or (kind == "late" and args.get("reply") != "hang"):
            await line.drop()
        elif kind in ("hang", "late"):
            await line.gone()
        elif kind == "cut":
            await line.cut(reply)
        elif kind == "drip":
            await line.drip(reply, float(args.get("interval", 0.2)))
        elif kind in ("huge", "bomb"):
            await line.pour(reply, int(args.get("bytes", GB)), zipped=kind == "bomb")
        else:
            await line.send(disguised(line, fault, reply))


def disguised(line: Line, fault: Fault | None, reply: Reply) -> Reply:
    """The answer that a fault without tricks on the wire sends instead."""
    if fault is None:
        return reply
    args, headers = fault.args, {str(k): str(v) for k, v in dict(fault.args.get("headers") or {}).items()}
    if fault.kind == "status":
        site = "vault" if line.scope["path"].startswith("/v1/") else "org"
        body = args.get("body", STATUS_BODY[site])
        text = body if isinstance(body, str) else json.dumps(body)
        return Reply(int(args.get("status", 500)), text.encode(), headers)
    if fault.kind == "redirect":
        return Reply(int(args.get("status", 307)), b"", {"Location": str(args.get("to", "")), **headers})
    if fault.kind == "garbage":
        text = str(args["body"]) if "body" in args else reply.body.decode("latin-1")[: len(reply.body) // 2] + "{"
        return Reply(int(args.get("status", 200)), text.encode("latin-1", "replace"), dict(reply.headers))
    if fault.kind == "wrong_host":
        return hostile.wrong_host(reply, str(args.get("host", "https://evil.example.com")))
    return hostile.control_characters(reply) if fault.kind == "control" else reply
