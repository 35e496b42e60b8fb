"""`rotator rotate` of a classic connected app at a terminal: it asks for what the rotation waits for.

Whatever happens to the terminal, the rotation stands in the database: `receive`, `applied`, the daemon or `run --once`
go on with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from rotator.cli import out
from rotator.cli.base import common
from rotator.cli.driving import tell
from rotator.cli.handover import at_terminal, read_pair
from rotator.cli.receive import hand_over, say_applied
from rotator.cli.session import Session
from rotator.domain.errors import UsageError
from rotator.saga.requests import AWAITED

TRIES = 5  # pairs that are none, before it is given up


class Heard:
    """Tells as every command does, and remembers what was told."""

    def __init__(self) -> None:
        self.document: Mapping[str, Any] = {}

    def __call__(self, here: Session, document: Mapping[str, Any]) -> int:
        self.document = document
        return tell(here, document)

    @property
    def waits_for(self) -> str:
        """What the only rotation waits for; "" where it is not one."""
        rows = self.document.get("rotations", ())
        return str(rows[0]["reason"] or "") if len(rows) == 1 else ""


def assist(context: click.Context, heard: Heard, code: int) -> int:
    """Asks the person at the terminal until nothing is waited for that a person gives. Gives the exit code; where
    nobody can be asked it is the one that was."""
    tries = 0
    while at_terminal() and not common(context).as_json and tries < TRIES:
        reason, app = heard.waits_for, _app(heard)
        if reason in (*AWAITED, "both_refused"):
            tries += 1
            code = _ask_pair(context, app, heard, code, replace=reason == "both_refused")
        elif reason == "await_apply":
            out.note("Apply is irreversible. Without an answer here it is noticed all the same (daemon, run --once).")
            click.prompt("Type `applied` when it is clicked", type=click.Choice(["applied"]), err=True)
            code = say_applied(context, app, None, heard)
        else:
            break
    return code


def _app(heard: Heard) -> str:
    rows = heard.document.get("rotations", ())
    return str(rows[0]["app"]) if rows else ""


def _ask_pair(context: click.Context, app: str, heard: Heard, code: int, *, replace: bool) -> int:
    """A pair that cannot be one is told, and asked for again."""
    try:
        return hand_over(context, app, read_pair(), None, replace=replace, told=heard)
    except UsageError as error:
        out.complain(error)
        return code
