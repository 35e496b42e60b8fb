"""`rotator audit hold`."""

from __future__ import annotations

import os
from dataclasses import asdict, replace

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.log_words import clean


@click.command(cls=Command)
@click.argument("app", required=False, default="")
@click.option("--org", default="", metavar="ORG", help="Rows of this org.")
@click.option("--all", "everything", is_flag=True, help="All rows.")
@click.option("--release", is_flag=True, help="Ends it.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@click.option("--ticket", default="", metavar="ID", help="The case.")
@click.pass_context
def hold(context: click.Context, app: str, org: str, everything: bool, release: bool, reason: str, ticket: str) -> int:
    """A legal hold: `audit prune` keeps these rows until it is released. Without arguments: lists them."""
    with session(context) as here:
        from rotator.wiring import pausing, retaining
        from rotator.wiring.asking import who

        connections = here.connect()
        changed = False
        if app or org or everything:
            what = pausing.extent(connections, app, org, everything=everything)
            asker = replace(who(os.environ, reason), ticket=ticket)
            changed = retaining.legal_hold(connections, what, asker, release=release)
        found = retaining.legal_holds(connections)
        if here.common.as_json:
            out.document({"ok": True, "changed": changed, "holds": [asdict(one) for one in found]})
            return 0
        for one in found:
            out.say(clean(f"{one.name or 'everything'} ({one.scope.value}) since {one.since:%Y-%m-%d} by {one.actor},"
                          f" {one.ticket}: {one.reason}"))  # fmt: skip
        if not found:
            out.say("no legal hold")
    return 0
