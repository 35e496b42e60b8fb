"""`rotator report`."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.counting import counted
from rotator.cli.session import session
from rotator.cli.writing import writer
from rotator.log_words import clean

NAMES = ("ages", "overdue", "forces", "holds", "completeness", "controls")


@click.command(cls=Command)
@click.argument("name", type=click.Choice(NAMES))
@click.option("--org", default="", metavar="ORG", help="Only this org.")
@click.option("--since", metavar="T", help="What happened from this time on: RFC 3339, or how long ago (24h, 90d).")
@click.option("--html", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Also write it there as one page to print.")
@click.pass_context
def report(context: click.Context, name: str, org: str, since: str | None, file: Path | None) -> int:
    """What an auditor asks for, from the trail, the rotations and the configuration."""
    with session(context) as here:
        from rotator.reports.page import page
        from rotator.wiring.reading import moment
        from rotator.wiring.reporting import report as work

        connections = here.connect()
        start = moment(since, connections.now()) if since else None
        with counted("rows") as progress:
            made = work(connections, os.environ, name, org, start, progress)
        if file is not None:
            with writer(file, "--html") as write:
                write(page(made, f"rotator {version('rotator')}, host {connections.context.host}"))
        if here.common.as_json:
            out.document({"ok": True, **made.document(), "html": str(file) if file else None})
        elif file is None:
            _say(made.table(), made.figures)
        else:
            out.say(f"{made.title}: {file}")
    return 0


def _say(table: list[list[str]], figures: object) -> None:
    """Columns as wide as their widest cell; the last one as it comes."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        out.say(clean("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))
    told = figures.items() if isinstance(figures, dict) else ()
    out.note(", ".join(f"{str(name).replace('_', ' ')} {value}" for name, value in told))
