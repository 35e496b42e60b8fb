"""`rotator audit`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from rotator.cli import out
from rotator.cli.base import Group
from rotator.cli.counting import counted
from rotator.cli.session import session

HOMES = {name: f"rotator.cli.audit_{name}:{name}" for name in ("export", "prune", "hold")}


@click.group(cls=Group, homes=HOMES)
def audit() -> None:
    """The audit trail."""


FILE = click.Path(dir_okay=False, path_type=Path)


@audit.command()
@click.option("--anchors", type=FILE, multiple=True, metavar="FILE",
              help="Hold the trail to the anchors in this file; may be repeated. Else those of `[audit] anchors`.")
@click.option("--public-key", type=FILE, metavar="FILE", help="The key (PEM) that must have signed each anchor.")
@click.pass_context
def verify(context: click.Context, anchors: tuple[Path, ...], public_key: Path | None) -> int:
    """Reads the whole trail: no row was changed, removed or added, and it is the one that was anchored."""
    with session(context) as here:
        from rotator.wiring.reading import verify_trail

        with counted("rows") as progress:
            found = verify_trail(here.connect(), os.environ, progress, anchors, public_key)
        if here.common.as_json:
            out.document(asdict(found))
        elif found.ok:
            gone = f", rows up to {found.pruned_to} were pruned" if found.pruned_to else ""
            out.say(f"whole: {found.rows} rows, {_anchored(found.anchored_to_seq)}{gone}")
        else:
            where = f" at row {found.first_bad_seq}" if found.first_bad_seq else ""
            out.say(f"BROKEN{where}: {found.reason}; {found.rows} rows are as they were written")
            out.note("  fix: keep database and anchors as they are, and find out who changed them (docs/audit.md)")
    return 0 if found.ok else 1


@audit.command()
@click.pass_context
def anchor(context: click.Context) -> int:
    """Signs the end of the trail now and sends it to every place that `[audit] anchors` names."""
    with session(context) as here:
        from rotator.wiring import anchoring
        from rotator.wiring.asking import who

        connections = here.connect()
        made = anchoring.anchor(connections, who(os.environ), "command")
        public = anchoring.public_key(connections, None)
        if here.common.as_json:
            out.document({"ok": made.ok, **asdict(made), "public_key": public.pem().decode() if public else None})
        else:
            signed = f"signed by key {made.anchor.key_id}" if made.anchor.key_id else "NOT SIGNED: no key is configured"
            out.say(f"row {made.anchor.seq}, {made.anchor.hash}, {signed}")
            for place, error in made.kept.items():
                out.say(f"  {place}: {error or 'kept'}")
    return 0 if made.ok else 1


def _anchored(seq: int | None) -> str:
    return "none of them anchored" if seq is None else f"anchored up to row {seq}"

