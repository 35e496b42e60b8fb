"""`rotator notify test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rotator.cli import out
from rotator.cli.base import Group
from rotator.cli.session import session
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.wiring.notices import Told


@click.group(cls=Group)
def notify() -> None:
    """Who is told when a human is needed."""


@notify.command()
@click.option("--name", default="", metavar="NAME", help="Only this channel.")
@click.option("--kind", type=click.Choice(["webhook", "slack", "pagerduty", "smtp"]),
              help="Only channels of this kind.")
@click.pass_context
def test(context: click.Context, name: str, kind: str | None) -> int:
    """Sends a test notice by every configured channel, and says what came of each."""
    with session(context) as here:
        from rotator.wiring import notices

        told: list[Told] = []
        for one in notices.try_out(here.connect(), name, kind or ""):
            told.append(one)
            if not here.common.as_json:
                out.say(line(one))
        code = 1 if any(one.error for one in told) else 0
        if here.common.as_json:
            from rotator.wiring.told import errors_of

            found = [{"channel": one.channel, "kind": one.kind, "ok": one.error is None,
                      "duration_ms": round(one.seconds * 1000),
                      "error": errors_of(one.error)[0] if one.error else None} for one in told]  # fmt: skip
            out.document({"ok": code == 0, "exit": code, "channels": found})
        return code


def line(told: Told) -> str:
    """One line per channel, and its fix below where it was not told."""
    mark, what = ("ok", "told") if told.error is None else ("FAIL", clean(told.error.message))
    text = f"{mark:<5} {told.channel:<16} {told.kind:<10} {told.seconds:5.1f} s  {what}"
    return text if told.error is None else f"{text}\n      fix: {clean(told.error.fix)}"
