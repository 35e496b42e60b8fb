"""`rotator evidence`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import Session, session
from rotator.domain.errors import UsageError
from rotator.log_words import clean

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Command)
@click.argument("what", metavar="ROTATION_ID | verify")
@click.argument("file", required=False, type=FILE)
@click.option("--out", "place", type=FILE, metavar="FILE", help="Where the JSON goes; the page stands beside it.")
@click.option("--since", metavar="T", help="Logins and changes are asked of the org from then on; the decision.")
@click.option("--public-key", type=FILE, metavar="FILE", help="verify: the key (PEM) that must have signed it.")
@click.pass_context
def evidence(context: click.Context, what: str, file: Path | None, place: Path | None, since: str | None,
             public_key: Path | None) -> int:
    """Writes the signed package of one forced rotation, as JSON and as a page; `verify FILE` checks one, offline.

    The page prints, and loads nothing. The key to verify with comes from outside the file: --public-key, else the
    configured one.
    """
    with session(context) as here:
        if what == "verify":
            return _verify(here, file, public_key)
        if file is not None:
            raise UsageError(f"{file}: one rotation at a time", fix="rotator evidence ROTATION_ID [--out FILE]")
        return _make(here, what, place, since)


def _make(here: Session, rotation_id: str, place: Path | None, since: str | None) -> int:
    from rotator.wiring import evidence as work
    from rotator.wiring.asking import who
    from rotator.wiring.reading import moment

    where = (place or Path(f"evidence-{rotation_id}.json")).absolute()
    connections = here.connect()
    start = moment(since, connections.now()) if since else None
    told = work.written(connections, work.made(connections, rotation_id, who(os.environ), start), where)
    if here.common.as_json:
        out.document(told)
    else:
        out.say(f"{told['file']}\n{told['page']}")
        out.say(f"signed by key {told['signed_by']}" if told["signed_by"] else
                "NOT SIGNED: no key is configured ([audit] signing_key_file)")
    return 0


def _verify(here: Session, file: Path | None, public_key: Path | None) -> int:
    from rotator.wiring import evidence as work

    if file is None:
        raise UsageError("name the file to verify", fix="rotator evidence verify FILE --public-key audit.pub.pem")
    key = work.key_from(public_key) if public_key is not None else work.own_key(here.connect())
    told = work.verified(file, key)
    if here.common.as_json:
        out.document(told)
    elif told["ok"]:
        out.say(f"whole, and signed by key {told['key_id']}" + ("" if told["page"] else "; its page is not beside it"))
    else:
        for words in told["wrong"]:
            out.say(clean(f"WRONG: {words}"))
        out.note("  fix: keep the file, and make the package anew from the trail: `rotator evidence ROTATION_ID`")
    return int(told["exit"])
