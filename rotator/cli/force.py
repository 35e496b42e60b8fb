"""`rotator force`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.driving import progressed, say
from rotator.cli.durations import DURATION
from rotator.cli.session import Session, session
from rotator.domain.errors import UsageError
from rotator.domain.words import State
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.wiring.connections import Connections
    from rotator.wiring.errand import Errand
    from rotator.wiring.force import Order, Scope

HUMAN = 3


@click.command(cls=Command)
@click.argument("apps", nargs=-1, metavar="APP...")
@click.option("--org", default="", metavar="ORG", help="All apps of this org.")
@click.option("--all", "everything", is_flag=True, help="All apps; their number must be typed.")
@click.option("--reason", required=True, metavar="TEXT", help="What happened; stands in the audit trail.")
@click.option("--ticket", required=True, metavar="ID", help="The incident's ticket.")
@click.option("--including-users", is_flag=True, help="Also end the tokens of users other than the run-as user.")
@click.option("--since", metavar="T", help="From when on evidence is looked up: a time, or how long ago. 30d.")
@click.option("--break-glass", is_flag=True, help="By one person alone; flagged for a later review.")
@click.option("--yes", is_flag=True, help="Ask nothing (for scripts).")
@click.option("--timeout", type=DURATION, help="Return after this time; what is open goes on at the next call.")
@click.pass_context
def force(context: click.Context, apps: tuple[str, ...], org: str, everything: bool, reason: str, ticket: str,
          including_users: bool, since: str | None, break_glass: bool, yes: bool, timeout: timedelta | None) -> int:
    """Answers a compromise: a new pair at once, the old one and its sessions dead, and that proven.

    Takes over whatever is open; ignores windows, pauses and the overlap. The same order given again resumes it; another
    ticket or reason is a new decision.
    """
    with session(context) as here:
        from dataclasses import replace

        from rotator.wiring import force as work
        from rotator.wiring.asking import who
        from rotator.wiring.reading import moment

        connections = here.connect()
        asked = replace(who(os.environ, reason), ticket=ticket, break_glass=break_glass)
        start = moment(since, connections.now()) if since else None
        order = work.Order(asked, including_users=including_users, since=start)
        scope = work.scope(connections, apps, org, everything=everything)
        work.check_order(connections, order)
        if everything and not yes:
            _confirm(here, len(scope.apps))
        return _drive(here, connections, scope, order, timeout)


def _confirm(here: Session, number: int) -> None:
    """The number of apps, typed by a person. Raises UsageError."""
    if here.common.as_json or not sys.stdin.isatty():
        raise UsageError(f"--all would force {number} apps, and nobody can be asked", fix="--yes says that it is meant",
                         code="not_confirmed")  # fmt: skip
    typed = click.prompt(f"This forces {number} apps. Type their number to go on", default="", show_default=False)
    if typed.strip() != str(number):
        words = f"{typed.strip() or 'nothing'} was typed, not {number}: nothing was done"
        raise UsageError(words, code="not_confirmed", fix="see `rotator status` for the apps")


def _drive(here: Session, connections: Connections, scope: Scope, order: Order, timeout: timedelta | None) -> int:
    from rotator.wiring import force as work
    from rotator.wiring import notices, told

    shared = work.shared_users(connections, scope.apps)
    for one in shared:
        apps = one["apps"]
        names = ", ".join(map(str, apps)) if isinstance(apps, list) else ""
        out.note(clean(f"warning: {names} run as one user ({one['run_as']}): sessions are told apart by app and time"))
    errands, _ = progressed(here, connections, timeout,
                            lambda links, setting: (work.force(links, setting, scope.apps, order), ()))
    left = [one for one in scope.skipped if one["asked"]]
    code = told.first_of([told.exit_of(errands), *([HUMAN] if left else [])])
    skipped = [{"app": one["app"], "reason": one["reason"]} for one in scope.skipped]
    document = {**told.rotations(errands, skipped), "ok": code == 0, "exit": code, "shared": shared}
    if here.common.as_json:
        out.document(document)
    else:
        say({**document, "skipped": [one for one in skipped if one["app"] in {two["app"] for two in left}]})
        for line in summary(errands, scope.skipped):
            out.say(line)
    notices.flush(connections, here.clock, lambda: here.stop.requested)
    return code


def summary(errands: Sequence[Errand], skipped: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Every configured app, counted by what came of it."""
    states = [errand.row.state.value if errand.row is not None else "not begun" for errand in errands]
    words = [f"{states.count(state)} {state}" for state in sorted(set(states), key=lambda one: one != State.DONE)]
    asked = sum(bool(one["asked"]) for one in skipped)
    words += [f"{asked} skipped"] if asked else []
    words += [f"{len(skipped) - asked} not asked for"] if len(skipped) > asked else []
    yield f"of {len(errands) + len(skipped)} configured apps: {', '.join(words)}"
