"""What is written where: results to standard output, chatter and errors to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from rotator.domain.errors import ConfigError, RotatorError
from rotator.log_words import clean


def say(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line beside the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def document(value: Mapping[str, object]) -> None:
    """The one document of `--json`."""
    say(json.dumps(value, ensure_ascii=False, default=str))


def complain_of(error: Mapping[str, object]) -> None:
    """An entry of `errors`, in words."""
    where = f"{error['where']}: " if error.get("where") else ""
    note("rotator: " + clean(f"{where}{error['message']}"))
    note(f"  fix: {clean(str(error['fix']))}")


def complain(error: RotatorError) -> None:
    """An error in words: what is wrong, and what to do next."""
    note(f"rotator: {clean(error.message)}")
    for mistake in error.mistakes if isinstance(error, ConfigError) else ():
        place = f"{mistake.file}:{mistake.line}" if mistake.line else mistake.file
        note(f"  {clean(place)}: {clean(f'{mistake.key} {mistake.message}'.strip())}")
        if mistake.example:
            note(f"    like: {clean(mistake.example)}")
    note(f"  fix: {clean(error.fix)}")
