"""`rotator init`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.check import line
from rotator.cli.session import Session, session
from rotator.domain.errors import RotatorError, UsageError
from rotator.log_words import clean
from rotator.wiring.first.questions import QUESTIONS, Answers, Question, completed

if TYPE_CHECKING:
    from rotator.wiring.checking import Told
    from rotator.wiring.first.handout import Sheet

Json = dict[str, object]


def _asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every question as an option."""
    for question in reversed(QUESTIONS):
        command = click.option(question.option, metavar="TEXT", help=f"{question.ask}.")(command)
    return command


@click.command(cls=Command)
@_asked
@click.option("--insecure", is_flag=True, help="Permits http and hosts that are not My Domain, for tests.")
@click.option("--overwrite", is_flag=True, help="Replaces a configuration that is there already.")
@click.option("--no-check", is_flag=True, help="Does not run `check` in the end.")
@click.pass_context
def init(context: click.Context, /, insecure: bool, overwrite: bool, no_check: bool, **given: str | None) -> int:
    """Writes a first configuration from a few answers, says what to give where, and runs `check`.

    At a terminal it asks for what no option says; elsewhere what is usual is taken.
    """
    with session(context) as here:
        file, asks = here.common.config, sys.stdin.isatty() and not here.common.as_json
        over = overwrite or _may_replace(file, asks=asks)
        told = {key: value for key, value in given.items() if value is not None}
        answers = completed(told, _asker(told, insecure=insecure) if asks else None)
        from rotator.wiring.first.handout import handout
        from rotator.wiring.first.written import text_of, write

        write(file, text_of(answers, insecure=insecure), os.environ, over=over)
        sheets = list(handout(here.load().config))
        if not here.common.as_json:
            _show(file, sheets)
        checks, error = ([], None) if no_check else _check(here)
        return _end(here, sheets, checks, error)


def _may_replace(file: Path, *, asks: bool) -> bool:
    """Whether a file that is there may go; False where there is none. Raises Refused."""
    from rotator.wiring.first.written import there

    if not file.exists():
        return False
    if not asks or not click.confirm(f"{file} is there already. Replace it?", err=True):
        raise there(file)
    return True


def _asker(given: Mapping[str, str], *, insecure: bool) -> Callable[[Question, Answers], str]:
    """Asks at the terminal, again until the answer can stand in a configuration."""
    from rotator.wiring.first.written import mistake

    def ask(question: Question, answers: Answers) -> str:
        usual = question.usual(answers) if question.usual else None
        shown = f"{question.ask}, like {question.example}" if usual is None else question.ask
        while True:
            told: str = click.prompt(shown, default=usual, show_default=bool(usual), err=True).strip()
            wrong = mistake({**given, **answers, question.key: told}, insecure=insecure)
            if wrong is None:
                return told
            out.note(f"  {clean(f'{wrong.key} {wrong.message}'.strip())}")

    return ask


def _check(here: Session) -> tuple[list[Told], RotatorError | None]:
    """What `check` finds, and why it could not go on: what it needs may yet have to be made."""
    from rotator.wiring import checking

    found: list[Told] = []
    try:
        for one in checking.check(here.connect(), "", os.environ):
            found.append(one)
            if not here.common.as_json:
                out.say(line(one))
    except UsageError:
        raise
    except RotatorError as error:
        return found, error
    return found, None


def _show(file: Path, sheets: Sequence[Sheet]) -> None:
    out.say(f"{file}: written\n")
    for sheet in sheets:
        out.say(f"--- {sheet.title}\n{sheet.text}")


def _end(here: Session, sheets: Sequence[Sheet], checks: Sequence[Told], error: RotatorError | None) -> int:
    """The exit code: that of `check`; 3 where it could not go on, for a human must first give what is handed out."""
    from rotator.wiring import checking, told

    code = 3 if error is not None else checking.exit_of(checks)
    if here.common.as_json:
        document: Json = {"ok": code == 0, "exit": code, "file": str(here.common.config),
                          "handout": [{"title": sheet.title, "text": sheet.text} for sheet in sheets],
                          "checks": [one.as_json() for one in checks]}  # fmt: skip
        out.document({**document, "errors": told.errors_of(error)} if error is not None else document)
    elif error is not None:
        out.complain(error)
        out.note("give what is printed above, then run `rotator check`")
    return code
