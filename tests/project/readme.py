"""The command table of README.md, made from click's own words: `python -m tests.project.readme` writes it anew."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

import click

from tests.project.files import ROOT

README = ROOT / "README.md"
START = "<!-- commands: made by `python -m tests.project.readme`, a test compares it with `rotator --help` -->"
END = "<!-- /commands -->"
HEAD = ("| command | does |", "|---|---|")
CLI = "rotator.cli.main"

# They stand on every command and are explained above the table.
COMMON = {"help", "config", "as_json", "json", "log_level", "version"}


def the_cli() -> click.Group | None:
    """Gives the product's root command, or None while there is no command line yet."""
    if importlib.util.find_spec("rotator.cli") is None:
        return None
    group: click.Group = importlib.import_module(CLI).cli
    return group


def table(root: click.Group | None) -> list[str]:
    """Gives the lines of the table: one per command that does something, in the order of `--help`."""
    rows = [] if root is None else [f"| `{usage(path, command)}` | {does(command)} |" for path, command in leaves(root)]
    return [*HEAD, *rows]


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Gives every command that is no group and not hidden, with its path below `rotator`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


def usage(path: tuple[str, ...], command: click.Command) -> str:
    """Writes a command as it is typed, with its arguments and its own options."""
    context = click.Context(command)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden and p.name not in COMMON]
    words = [*path, *(p.make_metavar(context) for p in arguments), *(option_words(p, context) for p in options)]
    return " ".join(words).replace("|", "\\|")


def option_words(option: click.Option, context: click.Context) -> str:
    """Writes an option with its value; brackets where it may be left out."""
    longest = max(option.opts, key=len)
    text = longest if option.is_flag else f"{longest} {option.make_metavar(context)}"
    return text if option.required else f"[{text}]"


def does(command: click.Command) -> str:
    """Gives the first sentence of a command's help."""
    return command.get_short_help_str(limit=400).replace("|", "\\|")


def split(text: str) -> tuple[str, list[str], str]:
    """Takes README apart: before the table, its lines, after it. Raises ValueError where a marker is missing."""
    before, rest = text.split(START + "\n")
    lines, after = rest.split(END)
    return before, lines.splitlines(), after


def main() -> None:
    """Writes the table into README.md."""
    before, _, after = split(README.read_text())
    README.write_text("\n".join([before + START, *table(the_cli()), END + after]))


if __name__ == "__main__":
    main()
