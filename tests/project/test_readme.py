"""README tells the commands as the program does."""

from __future__ import annotations

import click

from tests.project import readme
from tests.project.files import ROOT


@click.group()
def example() -> None:
    """An example of a command line."""


@example.command()
@click.argument("apps", nargs=-1, required=True, metavar="APP...")
@click.option("--until", type=click.Choice(["overlap", "done"]))
@click.option("--dry-run", is_flag=True)
@click.option("--reason", required=True, metavar="TEXT")
@click.option("--json", "as_json", is_flag=True)
def rotate(apps: tuple[str, ...], until: str, dry_run: bool, reason: str, as_json: bool) -> None:
    """Rotates now. And more."""


@example.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Brings the schema up to date."""


@db.command(hidden=True)
def secret() -> None:
    """Not for people."""


def test_the_command_table_is_what_help_says() -> None:
    """Each command with its arguments, options and sentence stands in README as click knows it; no other does.

    To mend: `python -m tests.project.readme`.
    """
    _, lines, _ = readme.split(readme.README.read_text())
    assert lines == readme.table(readme.the_cli())


def test_the_table_shows_subcommands_arguments_and_options() -> None:
    """The table's own maker: groups are walked, hidden commands and common options left away, choices escaped."""
    assert readme.table(example) == [
        *readme.HEAD,
        "| `db upgrade` | Brings the schema up to date. |",
        "| `rotate APP... [--until [overlap\\|done]] [--dry-run] --reason TEXT` | Rotates now. |",
    ]


def test_readme_names_the_two_commands_and_no_target_that_is_not_there() -> None:
    """Every `make TARGET` in README is a target of the Makefile, `make demo` and `make test` among them."""
    makefile = (ROOT / "Makefile").read_text()
    targets = {line.split(":")[0] for line in makefile.splitlines() if ": " in line and "## " in line}
    text = readme.README.read_text()
    named = {
        word.strip("`.,;)")
        for before, word in zip(text.split(), text.split()[1:], strict=False)
        if before.lstrip("`") == "make"
    }
    assert {"demo", "test", "check", "vault"} <= named
    assert named - targets == set()
