"""`rotator check`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import session
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.wiring.checking import Told


@click.command(cls=Command)
@click.argument("app", required=False, default="")
@click.pass_context
def check(context: click.Context, app: str) -> int:
    """Looks at every prerequisite and says how to mend what is wrong. Changes nothing."""
    with session(context) as here:
        from rotator.wiring import checking

        told = []
        for one in checking.check(here.connect(), app, os.environ):
            told.append(one)
            if not here.common.as_json:
                out.say(line(one))
        if here.common.as_json:
            out.document({"checks": [one.as_json() for one in told]})
        return checking.exit_of(told)


def line(told: Told) -> str:
    """One line per prerequisite, and its fix below where something is wrong."""
    finding = told.finding
    mark = "ok" if finding.ok else "?" if finding.ok is None else "warn" if finding.warn else "FAIL"
    text = f"{mark:<5} {told.id:<6} {told.app or told.org or '-':<16} {clean(finding.found)}"
    return text if finding.ok or not finding.fix else f"{text}\n      fix: {clean(finding.fix)}"
