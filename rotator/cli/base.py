"""What all commands share: the options that stand before or after the command, and how a group finds its commands."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from rotator.log import LEVELS

DEFAULT_CONFIG = "/etc/rotator/rotator.toml"


@dataclass(frozen=True, slots=True)
class Common:
    """The options of every command."""

    config: Path
    as_json: bool
    log_level: str


def common(context: click.Context, log_level: str = "warning") -> Common:
    """The common options as they were given, wherever they stood; the last one wins. `log_level`: the usual one."""
    given = context.find_root().ensure_object(dict)
    config = given.get("config") or os.environ.get("ROTATOR_CONFIG") or DEFAULT_CONFIG
    return Common(Path(config), bool(given.get("as_json")), given.get("log_level") or log_level)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value not in (None, False):
        context.find_root().ensure_object(dict)[parameter.name] = value


def common_options() -> list[click.Parameter]:
    """The same options for the program and for each command."""
    return [
        click.Option(["--config"], metavar="FILE", callback=_keep, expose_value=False, is_eager=True,
                     help=f"Configuration file (also ROTATOR_CONFIG; {DEFAULT_CONFIG})."),
        click.Option(["--json", "as_json"], is_flag=True, callback=_keep, expose_value=False, is_eager=True,
                     help="One JSON document on standard output."),
        click.Option(["--log-level", "log_level"], type=click.Choice(LEVELS), callback=_keep, expose_value=False,
                     is_eager=True, help="How much is logged (warning; the daemon: info)."),
    ]  # fmt: skip


class Command(click.Command):
    """A command with the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *common_options()]


class Group(click.Group):
    """A group whose commands are imported when they are needed: `homes` maps each name to `module:attribute`."""

    command_class = Command

    def __init__(self, *args: Any, homes: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.homes = homes or {}
        self.params = [*self.params, *common_options()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.homes, *(name for name in super().list_commands(ctx) if name not in self.homes)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.homes:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.homes[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found
