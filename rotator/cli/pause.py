"""`rotator pause` and `rotator resume`."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.durations import DURATION
from rotator.cli.session import session
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.wiring.connections import Connections


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
        from rotator.wiring import pausing
        from rotator.wiring.asking import who

        connections = here.connect()
        what = pausing.extent(connections, app, org, everything=everything)
        begun = pausing.pause(connections, what, who(os.environ, reason), lasting)
        return _tell(connections, here.common.as_json, f"{_named(what.name)}: {begun}")


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

        connections = here.connect()
        what = pausing.extent(connections, app, org, everything=everything)
        lifted = pausing.resume(connections, what, who(os.environ, reason))
        still = [str(one) for _, one in pausing.paused_among(connections, [app])] if app else []
        words = "resumed" if lifted else "was not paused"
        return _tell(connections, here.common.as_json, "; still ".join([f"{_named(what.name)}: {words}", *still]))


def _named(name: str) -> str:
    return name or "everything"


def _tell(connections: Connections, as_json: bool, words: str) -> int:
    from rotator.wiring import pausing

    if as_json:
        told = [pausing.as_json(one) for one in pausing.in_force(connections)]
        out.document({"ok": True, "exit": 0, "pauses": told})
    else:
        out.say(clean(words))
    return 0
