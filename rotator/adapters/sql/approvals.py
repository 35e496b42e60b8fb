"""Requests that wait for a second person: one row each, and a row of the trail for all that is said of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from rotator.adapters.sql import alarms
from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.plain import plain
from rotator.adapters.sql.tables import approvals
from rotator.domain.approval import VALID, Request, why_not
from rotator.domain.chain import canonical
from rotator.domain.errors import NotFound, Refused
from rotator.domain.event import Event
from rotator.domain.ids import sortable_id
from rotator.domain.notice import Notice, Routes, Status, Topic, nobody
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase


class Approvals:
    """The requests of one database. `context` stands in the trail, `routes` says who is told of a new one."""

    def __init__(self, database: Database, context: Context, routes: Routes = nobody) -> None:
        self.database, self.context, self.routes = database, context, routes

    def ask(self, action: str, what: Mapping[str, object], who: Who, since: datetime | None = None) -> Request:
        """The request for this: the one that holds, approved or not, else a new one. Approved ones come first."""
        made_id, written = sortable_id(), canonical(plain(what))

        def work(connection: Connection) -> Request:
            now = self.database.now(connection)
            same = (approvals.c.action == action) & (approvals.c.what == written) & (approvals.c.until > moment(now))
            found = connection.execute(select(approvals).where(same).order_by(approvals.c.asked_at)).all()
            known = sorted(map(_request, found), key=lambda one: one.approved_at is None)
            if known:
                return known[0]
            made = Request(made_id, action, what, who, now, now + VALID, since=since)
            connection.execute(insert(approvals), _row(made, written))
            self._tell(connection, now, made, who, Event("approve", Phase.DECISION, Outcome.HELD, id=made_id))
            alarms.follow(connection, now, self.context.host, [_notice(made)], self.routes)
            return made

        return self.database.write(work)

    def approve(self, request_id: str, who: Who) -> Request:
        """Approves it; once more by the same person changes nothing. Raises NotFound, and Refused for whoever asked
        and for one that has ended; both leave a row."""
        event_id = sortable_id()

        def work(connection: Connection) -> Request | Refused:
            now = self.database.now(connection)
            row = connection.execute(select(approvals).where(approvals.c.id == request_id).with_for_update()).first()
            if row is None:
                return NotFound("there is no request of this id", fix="`rotator approve` lists those that wait",
                                code="no_request")
            request = _request(row)
            no = why_not(request, who, now)
            if no is not None:
                event = Event("approve", Phase.DECISION, Outcome.REFUSED, error=no.message, id=event_id)
                self._tell(connection, now, request, who, event)
                return Refused(no.message, code=no.code, fix=no.fix)
            return request if request.approved_at else self._approved(connection, now, request, who, event_id)

        found = self.database.write(work)
        if isinstance(found, Refused):
            raise found
        return found

    def _approved(self, connection: Connection, now: datetime, request: Request, who: Who, event_id: str) -> Request:
        spoken = replace(request, who=replace(request.who, approver=who.actor), approved_at=now, until=now + VALID)
        told = {"approver": who.actor, "approved_at": moment(now), "until": moment(spoken.until)}
        connection.execute(update(approvals).where(approvals.c.id == request.id).values(told))
        self._tell(connection, now, spoken, who, Event("approve", Phase.DECISION, Outcome.OK, id=event_id))
        return spoken

    def open(self) -> tuple[Request, ...]:
        """Those that hold: waiting, or approved and to be acted on."""

        def look(connection: Connection) -> tuple[Request, ...]:
            until = moment(self.database.now(connection))
            chosen = select(approvals).where(approvals.c.until > until).order_by(approvals.c.asked_at)
            return tuple(map(_request, connection.execute(chosen)))

        return self.database.read(look)

    def _tell(self, connection: Connection, now: datetime, request: Request, who: Who, event: Event) -> None:
        """A row for each app that it is about, one where it is about none; a repeat adds none."""
        if seq_of(connection, event.id) is not None:
            return
        spoken = replace(who, reason=request.who.reason, ticket=request.who.ticket, approver=request.who.approver)
        told = {"request": request.id, "action": request.action, "asked_by": request.who.actor,
                "until": request.until, "what": request.what}  # fmt: skip
        about = [Subject(org=one.org, app=one.app) for one in request.subjects] or [Subject()]
        for number, one in enumerate(about):
            each = replace(event, evidence=told, id=event.id if number == 0 else sortable_id())
            append(connection, now, self.context, spoken, one, each)


def _notice(request: Request) -> Notice:
    names = ", ".join(one.app for one in request.subjects)
    action = f"{request.action} {names}".rstrip()
    words = f"{request.who.actor} asks for a second person to {action}: {request.who.reason}"
    return Notice(Topic.APPROVAL, Status.ONCE, f"approval/{request.id}", words, reason="approval",
                  fix=f"another person runs `rotator approve {request.id}` by {request.until:%H:%M}Z")  # fmt: skip


def _row(request: Request, written: str) -> dict[str, Any]:
    return {"id": request.id, "action": request.action, "what": written, "who": canonical(plain(request.who)),
            "asked_at": moment(request.asked_at), "until": moment(request.until), "approver": "",
            "since": moment(request.since) if request.since else None}  # fmt: skip


def _request(row: Row[Any]) -> Request:
    who = Who(**{**json.loads(row.who), "approver": row.approver})
    approved, since = (instant(told) if told else None for told in (row.approved_at, row.since))
    asked, until = instant(row.asked_at), instant(row.until)
    return Request(row.id, row.action, json.loads(row.what), who, asked, until, approved, since)
