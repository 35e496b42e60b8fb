"""`rotator completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from rotator.cli import out
from rotator.cli.base import Command
from rotator.domain.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def completion(shell: str) -> int:
    """Prints the completion script for bash, zsh or fish."""
    from rotator.cli.main import cli

    maker = get_completion_class(shell)
    if maker is None:
        raise UsageError(f"no completion for {shell}", fix=f"one of {', '.join(SHELLS)}")
    out.say(maker(cli, {}, "rotator", "_ROTATOR_COMPLETE").source())
    return 0
