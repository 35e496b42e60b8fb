"""`rotator demo`: sets the stage, plays the story, leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.session import Session, session
from rotator.domain.errors import UsageError


@click.command(cls=Command)
@click.option("--vault", metavar="BINARY", help="The Vault to use; by default `vault` on the PATH, else a stand-in.")
@click.option("--keep", is_flag=True, help="Keep the folder with the database and the logs.")
@click.pass_context
def demo(context: click.Context, vault: str | None, keep: bool) -> int:
    """Shows the main job end to end, against a simulated org and servers of its own. Leaves nothing running."""
    binary = shutil.which(vault or "vault")
    if vault and binary is None:
        raise UsageError(f"{vault} is no program", fix="leave --vault away: then a stand-in is used")
    with session(context) as here, _folder(keep) as folder:
        results = _play(here, binary, folder)
    if os.environ.get("DEMO_JSON"):
        Path(os.environ["DEMO_JSON"]).write_text(json.dumps(results, indent=2) + "\n")
    out.say("\ndemo: ok")
    return 0


def _play(here: Session, binary: str | None, folder: Path) -> dict[str, object]:
    from rotator.cli.demo import servers
    from rotator.cli.demo.story import Story

    stage = servers.Stage(here.clock, lambda: here.stop.requested)
    started = here.clock.monotonic()
    with ExitStack() as stack:
        door = stack.enter_context(servers.simulator(folder))
        world = door.call("GET", "/world")
        real = servers.real_vault(binary, folder, world, stage) if binary else None
        vault = stack.enter_context(real) if real is not None else servers.stand_in(world)
        story = Story(folder, world, door, vault, stage)
        story.tell()
    return {"ok": True, "seconds": round(here.clock.monotonic() - started, 1), **story.results}


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="rotator-demo-"))
    try:
        yield place
    finally:
        if keep:
            out.note(f"kept: {place}")
        else:
            shutil.rmtree(place, ignore_errors=True)
