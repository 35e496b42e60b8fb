"""Every call there is, as a table: its place, who may make it, what it takes and gives. The OpenAPI document and the
application are both made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotator.control import calls
from rotator.control.bodies import (
    Abandon,
    Adopt,
    Applied,
    Approve,
    Asked,
    Follow,
    Force,
    History,
    Nothing,
    OfApp,
    OneApp,
    Pause,
    Receive,
    Release,
    Resume,
    Review,
    Revoke,
    Rotate,
    Turn,
)
from rotator.control.callers import Role
from rotator.control.calls import Begun, Call
from rotator.control.desk import Desk, Json, Lent

Look = Callable[[Desk, Lent, Call], Json]
Order = Callable[[Lent, Call], Begun]


@dataclass(frozen=True, slots=True)
class Route:
    """One call. Exactly one of `look` and `order` is given; neither for what the application itself answers."""

    method: str
    path: str
    name: str  # as the trail and the OpenAPI document call it
    role: Role
    about: str
    gives: str  # the schema of its answer
    takes: type[Asked] = Nothing  # the body of a POST, the query of a GET
    look: Look | None = None
    order: Order | None = None
    media: tuple[str, ...] = ("application/json",)


JSON, LINES, EVENTS = "application/json", "application/x-ndjson", "text/event-stream"
METRICS = "text/plain"
ROUTES = (
    Route("GET", "/healthz", "healthz", Role.NONE, "Alive: the daemon still looks for what is due.", "Health",
          look=calls.health),
    Route("GET", "/readyz", "readyz", Role.NONE, "Ready: the database answers.", "Health", look=calls.ready),
    Route("GET", "/openapi.json", "openapi", Role.NONE, "This document.", "OpenApi"),
    Route("GET", "/metrics", "metrics", Role.VIEW, "Metrics, as Prometheus reads them.", "Metrics", media=(METRICS,)),
    Route("GET", "/daemon", "daemon", Role.VIEW, "The daemon that answers.", "Daemon", look=calls.daemon),
    Route("GET", "/status", "status", Role.VIEW, "What is open, due next, overdue and why.", "Status", OfApp,
          look=calls.status),
    Route("GET", "/history", "history", Role.VIEW, "The audit trail, ascending; a page at a time.", "History", History,
          look=calls.history),
    Route("GET", "/rotations/{rotation_id}", "rotation", Role.VIEW, "One rotation.", "One", look=calls.one_rotation),
    Route("GET", "/rotations/{rotation_id}/events", "follow", Role.VIEW,
          "The rows of one rotation as they are written, until it ends (server-sent events; `id` is the seq).",
          "Events", Follow, media=(EVENTS,)),
    Route("POST", "/rotate", "rotate", Role.ROTATE, "Rotates these apps now, or resumes what is open of them.",
          "Driven", Rotate, order=calls.rotate, media=(JSON, LINES)),
    Route("POST", "/abandon", "abandon", Role.ROTATE, "Undoes an open rotation, as long as that can be.", "Driven",
          Abandon, order=calls.abandon, media=(JSON, LINES)),
    Route("POST", "/release", "release", Role.ROTATE, "Lets a held rotation go on.", "Driven", Release,
          order=calls.release, media=(JSON, LINES)),
    Route("GET", "/adopt", "to_adopt", Role.ROTATE, "What an adoption would replace; changes nothing.", "Plan",
          OneApp, look=calls.to_adopt),
    Route("POST", "/adopt", "adopt", Role.ROTATE, "Writes an app's present primary pair to its live path.", "Adopted",
          Adopt, look=calls.adopt),
    Route("POST", "/receive", "receive", Role.ROTATE, "Takes the new pair of a classic app from a person; by the Unix"
          " socket only.", "Driven", Receive, order=calls.receive, media=(JSON, LINES)),
    Route("POST", "/applied", "applied", Role.ROTATE, "Apply was clicked: polls, publishes, proves.", "Driven",
          Applied, order=calls.applied, media=(JSON, LINES)),
    Route("POST", "/force", "force", Role.FORCE, "Answers a compromise: a new pair at once, the old dead, and proven.",
          "Driven", Force, order=calls.force, media=(JSON, LINES)),
    Route("POST", "/block", "block", Role.FORCE, "Turns an app's OAuth switch off: no pair of it logs in.", "Turned",
          Turn, look=calls.block),
    Route("POST", "/unblock", "unblock", Role.FORCE, "Turns an app's OAuth switch on again.", "Turned", Turn,
          look=calls.unblock),
    Route("POST", "/revoke", "revoke", Role.FORCE, "Ends an app's tokens and sessions; its pair stays.", "Ended",
          Revoke, look=calls.revoke),
    Route("GET", "/approvals", "approvals", Role.VIEW, "What waits for a second person.", "Requests",
          look=calls.approvals),
    Route("POST", "/approve", "approve", Role.FORCE, "The second person approves; the daemon then begins it.",
          "Requests", Approve, look=calls.approve),
    Route("POST", "/review", "review", Role.FORCE, "Another person has looked through a force that one began alone.",
          "Reviewed", Review, look=calls.review),
    Route("POST", "/pause", "pause", Role.ROTATE, "Begins nothing new by itself: of an app, an org, or all.", "Pauses",
          Pause, look=calls.pause),
    Route("POST", "/resume", "resume", Role.ROTATE, "Lifts a pause.", "Pauses", Resume, look=calls.resume),
)  # fmt: skip
