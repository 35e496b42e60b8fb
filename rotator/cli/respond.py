"""`rotator block`, `rotator unblock` and `rotator revoke`: what an incident needs beside a rotation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import Session, session
from rotator.log_words import clean


@click.command(cls=Command)
@click.argument("app")
@click.option("--reason", required=True, metavar="TEXT", help="What happened; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.pass_context
def block(context: click.Context, app: str, reason: str, ticket: str) -> int:
    """Turns the app's OAuth switch off: nobody logs in, with whatever pair. Tokens that were given out live on.

    Of a classic connected app, whose switch no API turns, it freezes the run-as user.

    Needs no Vault where the responder's login comes from a file.
    """
    return _run(context, "block", {"app": app, "reason": reason, "ticket": ticket})


@click.command(cls=Command)
@click.argument("app")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is safe now; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.pass_context
def unblock(context: click.Context, app: str, reason: str, ticket: str) -> int:
    """Turns the app's OAuth switch on again.

    Refused while a forced rotation keeps the app blocked.
    """
    return _run(context, "unblock", {"app": app, "reason": reason, "ticket": ticket})


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

    body = {"app": app, "reason": reason, "ticket": ticket, "including_users": including_users}
    return _run(context, "revoke", body)


def _run(context: click.Context, command: str, body: Mapping[str, Any]) -> int:
    """Through the daemon where one runs; else here, under the same lease."""
    with session(context) as here:
        daemon = here.daemon()
        document = daemon.post(f"/{command}", body) if daemon is not None else _here(here, command, body)
        if here.common.as_json:
            out.document(document)
        else:
            out.say(clean(str(document["message"])))
        return int(str(document["exit"]))


def _here(here: Session, command: str, body: Mapping[str, Any]) -> Mapping[str, object]:
    from rotator.wiring import notices, responding
    from rotator.wiring.asking import who
    from rotator.wiring.errand import Patience
    from rotator.wiring.reading import note_config

    connections = here.connect()
    note_config(connections, os.environ)
    patience = Patience(here.clock, lambda: here.stop.requested)
    asked = replace(who(os.environ, body["reason"]), ticket=body["ticket"])
    done: responding.Turned | responding.Ended
    if command == "revoke":
        done = responding.revoke(connections, patience, body["app"], asked, including_users=body["including_users"])
    else:
        done = responding.turn(connections, patience, body["app"], asked, blocked=command == "block")
    notices.flush(connections, here.clock, lambda: here.stop.requested)
    return done.document
