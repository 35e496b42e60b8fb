"""`rotator calibrate`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import Session, session
from rotator.cli.writing import writer
from rotator.domain.errors import UsageError
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.checks.calibrate.profile import Profile
    from rotator.wiring.calibrating import Plan


@click.command(cls=Command)
@click.argument("org")
@click.option("--app", required=True, metavar="CANARY", help="A throwaway app: developer name, 0xI id, or its name in "
              "[apps] where it is a canary.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option("--out", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Also write the profile there: the signed JSON, or with .toml the table for the configuration.")
@click.pass_context
def calibrate(context: click.Context, org: str, app: str, yes: bool, file: Path | None) -> int:
    """Finds out how an org behaves, by experiments on a throwaway app, and what it means for rotations.

    The app gets new pairs, its old one dies, its tokens are ended. Refuses an app that looks used. Stopped half-way, it
    cleans up at the next call and begins anew.
    """
    with session(context) as here:
        from rotator.wiring import calibrating
        from rotator.wiring.asking import who
        from rotator.wiring.reading import note_config

        connections = here.connect()
        note_config(connections, os.environ)
        plan = calibrating.planned(connections, org, app, who(os.environ, "calibrate"))
        if not yes:
            _confirm(here, plan)
        with _progress() as tell:
            made = calibrating.calibrate(plan, lambda: here.stop.requested, tell)
        if file is not None:
            with writer(file, "--out") as write:
                write("\n".join([*made.toml(), ""]) if file.suffix == ".toml" else json.dumps(made.document) + "\n")
        if here.common.as_json:
            out.document(made.document)
        else:
            _say(made)
        return made.exit_code


def _confirm(here: Session, plan: Plan) -> None:
    """Asks a person. Raises UsageError."""
    no = UsageError("calibrate asks before it begins, and there is nobody to ask", code="not_confirmed",
                    fix="run it on a terminal, or say --yes")  # fmt: skip
    if here.common.as_json or not sys.stdin.isatty():
        raise no
    out.note(clean(plan.words))
    name = plan.consumer.app_name or plan.consumer.app_id
    if click.prompt(f"Type {name} to begin", default="") != name:
        raise UsageError("not confirmed; nothing was done", code="not_confirmed", fix="type the app's name, or --yes")


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """What is being done, and how long it may take yet: one line that changes on a terminal, a line per doing else."""
    stream, last, width = sys.stderr, "", 0

    def tell(doing: str, left: float) -> None:
        nonlocal last, width
        text = clean(f"{doing} (at most {left / 60:.0f} min more)" if left >= 90 else f"{doing} ({left:.0f} s more)")
        if stream.isatty():
            stream.write(f"\r{text.ljust(width)}")
            width = len(text)
        elif doing != last:
            stream.write(text + "\n")
        last = doing
        stream.flush()

    yield tell
    if stream.isatty() and width:
        stream.write(f"\r{' ' * width}\r")


def _say(made: Profile) -> None:
    """The facts with how they were seen, then what they mean."""
    for name, one in made.found.items():
        out.say(clean(f"{name:<30} {one.value:<8} {one.how}"))
    out.say(clean(f"{'a second stage gets':<30} {made.second_stage}"))
    out.say("")
    for consequence in made.consequences:
        out.say(clean(consequence.words))
    for name, value in made.differ.items():
        out.note(clean(f"warning: [orgs.{made.org}.facts] states {name} = {made.stated[name]!r}, found: {value}"))
    signed = f"signed by key {made.key_id}" if made.key_id else "not signed: [audit] names no key"
    out.note(clean(f"profile of {made.org}, Salesforce release {made.release}, {signed}"))
