"""`rotator pause` and `rotator resume`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.durations import DURATION
from rotator.cli.session import session
from rotator.log_words import clean


@click.command(cls=Command)
@click.argument("app", required=False, default="")
@click.option("--org", default="", metavar="ORG", help="All apps of this org.")
@click.option("--all", "everything", is_flag=True, help="All apps.")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail and in `status`.")
@click.option("--for", "lasting", type=DURATION, help="It ends by itself after this time.")
@click.pass_context
def pause(context: click.Context, app: str, org: str, everything: bool, reason: str,
          lasting: timedelta | None) -> int:
    """Begins nothing new by itself: of an app, of an org, or of all. What is open goes on."""
    with session(context) as here:
        from rotator.config.durations import write_duration
        from rotator.wiring import pausing
        from rotator.wiring.asking import who

        daemon = here.daemon()
        if daemon is not None:
            asked = _asked(app, org, everything, reason)
            lasts = {"for": write_duration(lasting)} if lasting is not None else {}
            return _tell(here.common.as_json, daemon.post("/pause", {**asked, **lasts}))
        connections = here.connect()
        what = pausing.extent(connections, app, org, everything=everything)
        return _tell(here.common.as_json, pausing.paused(connections, what, who(os.environ, reason), lasting))


@click.command(cls=Command)
@click.argument("app", required=False, default="")
@click.option("--org", default="", metavar="ORG", help="The pause of this org.")
@click.option("--all", "everything", is_flag=True, help="The pause of all apps.")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")
@click.pass_context
def resume(context: click.Context, app: str, org: str, everything: bool, reason: str) -> int:
    """Lifts a pause. One of an app, of its org and of all are three; each is lifted by its own word."""
    with session(context) as here:
        from rotator.wiring import pausing
        from rotator.wiring.asking import who

        daemon = here.daemon()
        if daemon is not None:
            return _tell(here.common.as_json, daemon.post("/resume", _asked(app, org, everything, reason)))
        connections = here.connect()
        what = pausing.extent(connections, app, org, everything=everything)
        return _tell(here.common.as_json, pausing.resumed(connections, what, who(os.environ, reason)))


def _asked(app: str, org: str, everything: bool, reason: str) -> dict[str, object]:
    return {"app": app, "org": org, "all": everything, "reason": reason}


def _tell(as_json: bool, document: Mapping[str, object]) -> int:
    if as_json:
        out.document(document)
    else:
        out.say(clean(str(document["message"])))
    return 0
