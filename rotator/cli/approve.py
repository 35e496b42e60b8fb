"""`rotator approve` and `rotator review`: the second person."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.cli.words import clock
from rotator.log_words import clean


@click.command(cls=Command)
@click.argument("request_id", required=False, default="")
@click.pass_context
def approve(context: click.Context, request_id: str) -> int:
    """Approves what another person asked for; without an id: lists what waits.

    Within 15 minutes, by another person than the one who asked. What is approved begins at once where a daemon runs,
    else with the next call of the same command or `run --once`.
    """
    with session(context) as here:
        from rotator.wiring import approving
        from rotator.wiring.asking import who

        daemon = here.daemon()
        if daemon is not None:
            body = {"request_id": request_id}
            told: Any = daemon.post("/approve", body) if request_id else daemon.get("/approvals")
        elif request_id:
            told = approving.approved(here.connect(), request_id, who(os.environ))
        else:
            told = approving.waiting(here.connect())
        if here.common.as_json:
            out.document(told)
        else:
            _say(told["requests"], bool(request_id))
    return 0


def _say(requests: list[Mapping[str, Any]], approved: bool) -> None:
    for one in requests:
        out.say(clean(f"{one['action']} {', '.join(one['apps'])}: {one['reason']} ({one['ticket']})"))
        out.say(clean(f"  asked by {one['actor']}, {one['request_id']}, until {clock(one['until'])}"))
    if approved:
        out.say("approved: a daemon begins it now; without one, give the command again")
    elif not requests:
        out.say("nothing waits for approval")


@click.command(cls=Command)
@click.argument("rotation_id")
@click.option("--reason", default="", metavar="TEXT", help="What was found; stands in the audit trail.")
@click.pass_context
def review(context: click.Context, rotation_id: str, reason: str) -> int:
    """Says that another person has looked through a forced rotation that one began alone (break-glass)."""
    with session(context) as here:
        from rotator.wiring import approving
        from rotator.wiring.asking import who

        daemon = here.daemon()
        body = {"rotation_id": rotation_id, "reason": reason}
        told: Any = (daemon.post("/review", body) if daemon is not None
                     else approving.reviewed(here.connect(), rotation_id, who(os.environ, reason)))  # fmt: skip
        if here.common.as_json:
            out.document(told)
        else:
            one = told["reviewed"]
            out.say(clean(f"{one['app']}: the force of {one['actor']} was reviewed by {one['reviewer']}"))
    return 0
