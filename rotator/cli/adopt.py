"""`rotator adopt`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import Session, session
from rotator.domain.errors import UsageError
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.control.client import Daemon

Json = Mapping[str, Any]


@click.command(cls=Command)
@click.argument("app")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def adopt(context: click.Context, app: str, reason: str, yes: bool) -> int:
    """Writes the app's present primary pair to its live path: onboarding without a rotation, and the answer to drift.

    Shows what it would replace, and asks. The pair must log in first.
    """
    with session(context) as here:
        daemon = here.daemon()
        hand: Hand = _Daemons(daemon) if daemon is not None else _Own(here)
        plan = hand.plan(app, reason)
        if not here.common.as_json:
            out.say(clean(str(plan["message"])))
        if not yes and not plan["same"]:
            _confirm(here, plan)
        wish = {"app": app, "reason": reason, "primary_fp": plan["primary_fp"], "live_version": plan["live_version"]}
        return _told(here, hand.take(wish))


def _told(here: Session, done: Json) -> int:
    if here.common.as_json:
        out.document(done)
        return int(done["exit"])
    out.say(clean(str(done["message"])))
    if done["next"]:
        out.say(clean(f"  next: {done['next']}"))
    return int(done["exit"])


def _confirm(here: Session, plan: Json) -> None:
    """A person's yes. Raises UsageError."""
    if here.common.as_json or not sys.stdin.isatty():
        raise UsageError(f"{plan['vault_path']} would be written, and nobody can be asked", code="not_confirmed",
                         fix="--yes says that it is meant")  # fmt: skip
    if not click.confirm("Readers get this pair from then on. Write it?", default=False):
        raise UsageError("nothing was done", code="not_confirmed", fix="see `rotator check` for what differs")


class Hand(Protocol):
    """Who does it: the daemon, or this process."""

    def plan(self, app: str, reason: str) -> Json: ...
    def take(self, wish: Json) -> Json: ...


class _Daemons:
    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def plan(self, app: str, reason: str) -> Json:
        return self._daemon.get("/adopt", app=app)

    def take(self, wish: Json) -> Json:
        return self._daemon.post("/adopt", wish)


class _Own:
    def __init__(self, here: Session) -> None:
        from rotator.wiring.reading import note_config

        self._here, self._links = here, here.connect()
        note_config(self._links, os.environ)

    def plan(self, app: str, reason: str) -> Json:
        from rotator.wiring import adopting
        from rotator.wiring.asking import who

        return adopting.plan(self._links, app, who(os.environ, reason))

    def take(self, wish: Json) -> Json:
        from rotator.wiring import adopting, notices
        from rotator.wiring.asking import who
        from rotator.wiring.errand import Patience

        agreed, stopped = adopting.Wish(wish["primary_fp"], wish["live_version"]), lambda: self._here.stop.requested
        patience = Patience(self._here.clock, stopped)
        done = adopting.take(self._links, patience, wish["app"], who(os.environ, wish["reason"]), agreed)
        notices.flush(self._links, self._here.clock, stopped)
        return done
