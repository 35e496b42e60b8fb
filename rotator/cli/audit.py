"""`rotator audit`."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict

import click

from rotator.cli import out
from rotator.cli.base import Group
from rotator.cli.session import session


@click.group(cls=Group)
def audit() -> None:
    """The audit trail."""


@audit.command()
@click.pass_context
def verify(context: click.Context) -> int:
    """Reads the whole trail and checks that no row was changed, removed or added."""
    with session(context) as here:
        from rotator.wiring.reading import verify_trail

        found = verify_trail(here.connect(), os.environ, _count if sys.stderr.isatty() else None)
        if here.common.as_json:
            out.document(asdict(found))
        elif found.ok:
            out.say(f"whole: {found.rows} rows")
        else:
            out.say(f"BROKEN at row {found.first_bad_seq}: the {found.rows} rows before it are as they were written")
            out.note("  fix: keep the database as it is and find out who changed it (docs/database.md)")
    return 0 if found.ok else 1


def _count(rows: int) -> None:
    sys.stderr.write(f"\r{rows} rows ")
    sys.stderr.flush()
