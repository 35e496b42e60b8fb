"""The program: finds the command, and turns every error into words, a fix and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from rotator.cli.base import Group
from rotator.domain.errors import RotatorError, UsageError

HOMES = {
    name: f"rotator.cli.{module}:{attribute}"
    for name, module, attribute in (
        ("run", "run", "run"), ("rotate", "rotate", "rotate"), ("status", "status", "status"),
        ("history", "history", "history"), ("check", "check", "check"), ("discover", "discover", "discover"),
        ("adopt", "adopt", "adopt"),
        ("abandon", "abandon", "abandon"),
        ("release", "release", "release"),
        ("receive", "receive", "receive"), ("applied", "receive", "applied"),
        ("force", "force", "force"),
        ("block", "respond", "block"), ("unblock", "respond", "unblock"),
        ("revoke", "respond", "revoke"),
        ("calibrate", "calibrate", "calibrate"),
        ("approve", "approve", "approve"), ("review", "approve", "review"), ("evidence", "evidence", "evidence"),
        ("drill", "drill", "drill"),
        ("pause", "pause", "pause"), ("resume", "pause", "resume"), ("audit", "audit", "audit"), ("db", "db", "db"),
        ("report", "report", "report"), ("init", "init", "init"),
        ("config", "config", "config"), ("notify", "notify", "notify"),
        ("demo", "demo.command", "demo"), ("completion", "completion", "completion"),
    )
}  # fmt: skip
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"rotator {version('rotator')}")
        context.exit()


@click.group(cls=Group, homes=HOMES, context_settings=HELP)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="The version.")
def cli() -> None:
    """Rotates the secrets of Salesforce External Client Apps through HashiCorp Vault.

    Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 a human is needed, 75 try again later.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program and gives its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except RotatorError as error:
        return _explain(error, given)
    except BrokenPipeError:  # the reader of our output has gone; what was done is done
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a defect: its text may hold what must not be shown
        return _explain(_defect(error), given)


def _run(given: list[str]) -> int:
    try:
        code = cli.main(given, prog_name="rotator", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "rotator"
        raise UsageError(error.format_message(), fix=f"see `{where} --help`") from None
    except click.Abort:
        return 75
    return code if isinstance(code, int) else 0


def _explain(error: RotatorError, given: list[str]) -> int:
    from rotator.cli import out

    if "--json" in given:
        from rotator.wiring.told import failure

        out.document(getattr(error, "document", None) or failure(error))  # the daemon's own document is passed on
    else:
        out.complain(error)
    return error.exit_code


def _defect(error: Exception) -> RotatorError:
    from rotator import log

    log.get("cli").error(log.Word.CRASHED, error=error)
    return RotatorError(f"a defect in rotator: {type(error).__qualname__}", code="defect",
                        fix="run it again with --log-level debug and report the lines; a rotation goes on where it was")
