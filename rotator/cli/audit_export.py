"""`rotator audit export`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.counting import counted
from rotator.cli.session import session
from rotator.cli.writing import writer
from rotator.domain.errors import UsageError
from rotator.domain.words import STEP_NAMES

if TYPE_CHECKING:
    from rotator.adapters.sql.selecting import Selection
    from rotator.wiring.connections import Connections

FORMATS = ("jsonl", "csv", "ocsf")


@click.command(cls=Command)
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--app", default="", metavar="APP", help="Rows of this app.")
@click.option("--org", default="", metavar="ORG", help="Rows of this org.")
@click.option("--since", metavar="T", help="From this time on: RFC 3339, or how long ago (24h, 30d).")
@click.option("--until", metavar="T", help="Up to this time.")
@click.option("--rotation", default="", metavar="ID", help="Rows of this rotation.")
@click.option("--step", default="", metavar="STEP", help="Rows of this step.")
@click.option("--unsigned", is_flag=True, help="Do not sign, even where a key is configured (jsonl).")
@click.option("--out", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write there; else to standard output.")
@click.pass_context
def export(context: click.Context, form: str, app: str, org: str, since: str | None, until: str | None, rotation: str,
           step: str, unsigned: bool, file: Path | None) -> int:
    """Writes the audit trail, or a part of it, for an auditor (docs/export.md)."""
    with session(context) as here:
        from rotator.wiring.exporting import Format
        from rotator.wiring.exporting import export as work

        if here.common.as_json and file is None:
            raise UsageError("--json tells of the export, so the export itself needs a file", fix="add --out FILE")
        _known(step)
        connections = here.connect()
        chosen = _chosen(connections, app, org, rotation, step, since, until)
        with counted("rows") as progress, writer(file, "--out") as write:
            done = work(connections, os.environ, Format(form), chosen, write, progress, sign=not unsigned)
        if here.common.as_json:
            out.document({"ok": True, "file": str(file), **asdict(done)})
        elif file is not None:
            out.note(f"{done.rows} rows in {file}")
    return 0


def _known(step: str) -> None:
    if step and step not in STEP_NAMES:
        raise UsageError(f"no step is called {step}", fix=f"one of {', '.join(STEP_NAMES)}", where="--step")


def _chosen(connections: Connections, app: str, org: str, rotation: str, step: str, since: str | None,
            until: str | None) -> Selection:
    from rotator.adapters.sql.selecting import Selection
    from rotator.wiring.reading import moment

    now = connections.now()
    first = moment(since, now) if since else None
    return Selection(app, org, rotation, step, first, moment(until, now, "--until") if until else None)
