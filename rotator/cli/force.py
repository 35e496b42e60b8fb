"""`rotator force`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from rotator.cli import out, remote
from rotator.cli.base import Command
from rotator.cli.driving import progressed, say
from rotator.cli.durations import DURATION
from rotator.cli.session import Session, session
from rotator.domain.errors import UsageError
from rotator.domain.words import State
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.domain.rotation import Who
    from rotator.wiring.connections import Connections
    from rotator.wiring.force import Order, Scope


@click.command(cls=Command)
@click.argument("apps", nargs=-1, metavar="APP...")
@click.option("--org", default="", metavar="ORG", help="All apps of this org.")
@click.option("--all", "everything", is_flag=True, help="All apps; their number must be typed.")
@click.option("--reason", required=True, metavar="TEXT", help="What happened; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.option("--block-first", is_flag=True, help="Nobody logs in to the app until the new pair is in its place.")
@click.option("--stay-blocked", is_flag=True, help="With --block-first: hold before the new pair is published.")
@click.option("--including-users", is_flag=True, help="Also end the tokens of users other than the run-as user.")
@click.option("--since", metavar="T", help="From when on evidence is looked up: a time, or how long ago. 30d.")
@click.option("--break-glass", is_flag=True, help="By one person alone; flagged for a later review.")
@click.option("--yes", is_flag=True, help="Ask nothing (for scripts).")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def force(context: click.Context, /, apps: tuple[str, ...], org: str, everything: bool, reason: str, ticket: str,
          since: str | None, break_glass: bool, yes: bool, timeout: timedelta | None, **ways: Any) -> int:
    """Answers a compromise: a new pair at once, the old one and its sessions dead, and that proven.

    Takes over whatever is open; ignores windows, pauses and the overlap. The same order given again resumes it; another
    ticket or reason is a new decision.
    """
    if ways["stay_blocked"] and not ways["block_first"]:
        raise UsageError("--stay-blocked goes with --block-first", fix="say both")
    with session(context) as here:
        from dataclasses import replace

        from rotator.wiring import force as work
        from rotator.wiring.asking import who
        from rotator.wiring.reading import moment
        from rotator.wiring.tickets import check_ticket

        asked = replace(who(os.environ, reason), ticket=ticket, break_glass=break_glass)
        if break_glass and (links := _without_database(here, asked)) is not None:
            order = work.Order(asked, **ways)
            scope = work.scope(links, apps, org, everything=everything)
            check_ticket(links, asked, "force")
            if everything and not yes:
                _confirm(here, len(scope.apps))
            return _spooled(here, links, scope, order, timeout)
        daemon = here.daemon()
        if daemon is not None:
            if everything and not yes:
                _confirm(here, int(daemon.get("/daemon")["apps"]))
            body = {"apps": list(apps), "org": org, "all": everything, "reason": reason, "ticket": ticket,
                    "since": since or "", "break_glass": break_glass, **ways}
            return remote.drive(here, daemon, "/force", body, timeout, tell)
        connections = here.connect()
        start = moment(since, connections.now()) if since else None
        order = work.Order(asked, since=start, **ways)
        scope = work.scope(connections, apps, org, everything=everything)
        check_ticket(connections, asked, "force")
        if everything and not yes:
            _confirm(here, len(scope.apps))
        return drive(here, connections, scope, order, timeout)


def _without_database(here: Session, asked: Who) -> Connections | None:
    """The connections, where the database takes no row and a spool is there to go on with."""
    from rotator.wiring.spooling import away

    connections = here.connect()
    return connections if away(connections, asked) else None


def _spooled(here: Session, connections: Connections, scope: Scope, order: Order, timeout: timedelta | None) -> int:
    from rotator.wiring import forced, spooling

    out.note("warning: the database is away or takes no row; the break-glass spool is used, and merged later")
    errands, _ = progressed(here, connections, timeout,
                            lambda links, setting: (spooling.force(links, setting, scope.apps, order), ()),
                            database=False)  # fmt: skip
    return tell(here, forced.document(scope, [], errands))


def _confirm(here: Session, number: int) -> None:
    """The number of apps, typed by a person. Raises UsageError."""
    if here.common.as_json or not sys.stdin.isatty():
        raise UsageError(f"--all would force {number} apps, and nobody can be asked", fix="--yes says that it is meant",
                         code="not_confirmed")  # fmt: skip
    typed = click.prompt(f"This forces {number} apps. Type their number to go on", default="", show_default=False)
    if typed.strip() != str(number):
        words = f"{typed.strip() or 'nothing'} was typed, not {number}: nothing was done"
        raise UsageError(words, code="not_confirmed", fix="see `rotator status` for the apps")


def drive(here: Session, connections: Connections, scope: Scope, order: Order, timeout: timedelta | None) -> int:
    from rotator.wiring import force as work
    from rotator.wiring import forced, notices

    order = work.admitted(connections, order, scope.apps)
    shared = work.shared_users(connections, scope.apps)
    for warning in forced.warnings(shared):
        out.note(clean(f"warning: {warning}"))
    errands, _ = progressed(here, connections, timeout,
                            lambda links, setting: (work.force(links, setting, scope.apps, order), ()))
    code = tell(here, forced.document(scope, shared, errands))
    notices.flush(connections, here.clock, lambda: here.stop.requested)
    return code


def tell(here: Session, document: Mapping[str, Any]) -> int:
    """For programs all; for people the apps that were asked for, and every other one counted."""
    if here.common.as_json:
        out.document(document)
    else:
        say({**document, "skipped": [one for one in document["skipped"] if one["asked"]]})
        out.say(summary(document))
    return int(document["exit"])


def summary(document: Mapping[str, Any]) -> str:
    """Every configured app, counted by what came of it."""
    rows, skipped = document["rotations"], document["skipped"]
    failed = len({error["app"] for error in document.get("errors", ())} - {row["app"] for row in rows})
    states = [*(row["state"] for row in rows), *["not begun"] * (len(document["not_begun"]) + failed)]
    words = [f"{states.count(state)} {state}" for state in sorted(set(states), key=lambda one: one != State.DONE)]
    asked = sum(bool(one["asked"]) for one in skipped)
    words += [f"{asked} skipped"] if asked else []
    words += [f"{len(skipped) - asked} not asked for"] if len(skipped) > asked else []
    return f"of {len(states) + len(skipped)} configured apps: {', '.join(words)}"
