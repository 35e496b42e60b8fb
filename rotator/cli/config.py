"""`rotator config`."""

from __future__ import annotations

import click

from rotator.cli import out
from rotator.cli.base import Group
from rotator.cli.session import session


@click.group(cls=Group)
def config() -> None:
    """The configuration."""


@config.command()
@click.pass_context
def check(context: click.Context) -> int:
    """Checks the configuration as a whole: all mistakes at once. Opens no secret file and calls nobody."""
    with session(context) as here:
        loaded = here.load()
        if here.common.as_json:
            out.document({"ok": True, "exit": 0, "files": [str(file) for file in loaded.files], "hash": loaded.hash,
                          "warnings": list(loaded.warnings)})  # fmt: skip
        else:
            many = f"{len(loaded.config.apps)} apps in {len(loaded.config.orgs)} orgs"
            out.say(f"{here.common.config}: no mistakes, {many}")
    return 0


@config.command()
def schema() -> int:
    """Prints the JSON schema of the configuration, for editors."""
    import json

    from rotator.config import schema as described

    out.say(json.dumps(described(), indent=2))
    return 0
