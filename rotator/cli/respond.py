"""`rotator block`, `rotator unblock` and `rotator revoke`: what an incident needs beside a rotation."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.domain.rotation import Who
    from rotator.wiring.connections import Connections
    from rotator.wiring.errand import Patience

    Work = Callable[[Connections, Patience, Who], tuple[Mapping[str, Any], str, int]]

HUMAN = 3


@click.command(cls=Command)
@click.argument("app")
@click.option("--reason", required=True, metavar="TEXT", help="What happened; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.pass_context
def block(context: click.Context, app: str, reason: str, ticket: str) -> int:
    """Turns the app's OAuth switch off: nobody logs in, with whatever pair. Tokens that were given out live on.

    Needs no Vault where the responder's login comes from a file.
    """
    return _turn(context, app, reason, ticket, blocked=True)


@click.command(cls=Command)
@click.argument("app")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is safe now; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.pass_context
def unblock(context: click.Context, app: str, reason: str, ticket: str) -> int:
    """Turns the app's OAuth switch on again.

    Refused while a forced rotation keeps the app blocked.
    """
    return _turn(context, app, reason, ticket, blocked=False)


@click.command(cls=Command)
@click.argument("app")
@click.option("--reason", required=True, metavar="TEXT", help="What happened; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.option("--including-users", is_flag=True, help="Also end the tokens of users other than the run-as user.")
@click.pass_context
def revoke(context: click.Context, app: str, reason: str, ticket: str, including_users: bool) -> int:
    """Ends the app's tokens and sessions: they have leaked, the secret has not. Consumers log in again.

    Needs no Vault where the responder's login comes from a file.
    """

    def work(connections: Connections, patience: Patience, who: Who) -> tuple[Mapping[str, Any], str, int]:
        from rotator.wiring import responding

        done = responding.revoke(connections, patience, app, who, including_users=including_users)
        words = f"{app}: {done.ended} tokens and sessions ended, {done.left} left"
        return asdict(done), "; ".join([words, *done.notes]), 0 if not done.left and done.seen else HUMAN

    return _run(context, reason, ticket, work)


def _turn(context: click.Context, app: str, reason: str, ticket: str, *, blocked: bool) -> int:
    def work(connections: Connections, patience: Patience, who: Who) -> tuple[Mapping[str, Any], str, int]:
        from rotator.wiring import responding

        done = responding.turn(connections, patience, app, who, blocked=blocked)
        what = "blocked: nobody logs in" if blocked else "not blocked"
        words = f"{app}: {what}" if done.changed else f"{app}: was {'' if blocked else 'not '}blocked already"
        return asdict(done), words, 0

    return _run(context, reason, ticket, work)


def _run(context: click.Context, reason: str, ticket: str, work: Work) -> int:
    with session(context) as here:
        from rotator.wiring import notices
        from rotator.wiring.asking import who
        from rotator.wiring.errand import Patience
        from rotator.wiring.reading import note_config

        connections = here.connect()
        note_config(connections, os.environ)
        patience = Patience(here.clock, lambda: here.stop.requested)
        done, words, code = work(connections, patience, replace(who(os.environ, reason), ticket=ticket))
        if here.common.as_json:
            out.document({"ok": code == 0, "exit": code, **done})
        else:
            out.say(clean(words))
        notices.flush(connections, here.clock, lambda: here.stop.requested)
        return code
