"""How a pair gets from a person to the rotator: hidden prompts, or standard input. Never an argument, a variable or a
file: those are kept by shells, shown by `ps`, and backed up."""

from __future__ import annotations

import sys

import click

from rotator import process
from rotator.domain.errors import UsageError
from rotator.domain.handed import must_be_a_pair, typed
from rotator.domain.pair import Pair

MOST = 2048  # characters of standard input: two lines


def at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def read_pair() -> Pair:
    """The pair: at a terminal asked for, else the two lines of standard input. Raises UsageError where it is none."""
    process.harden()  # before a secret is in this process
    pair = _asked() if sys.stdin.isatty() else _piped()
    must_be_a_pair(pair, ())
    return pair


def _asked() -> Pair:
    """Nothing is shown but the last four characters of the key, which is no secret."""
    key = click.prompt("Consumer Key (not shown)", hide_input=True, err=True)
    secret = click.prompt("Consumer Secret (not shown)", hide_input=True, err=True,
                          confirmation_prompt="Consumer Secret once more")  # fmt: skip
    pair = typed(key, secret)
    if not click.confirm(f"The key ends in {pair.key[-4:]}. Is that what Setup shows?", err=True):
        raise UsageError("nothing was handed over", code="not_a_pair", where="the pair",
                         fix="copy key and secret from Setup once more")  # fmt: skip
    return pair


def _piped() -> Pair:
    lines = sys.stdin.read(MOST + 1).splitlines()
    if len(lines) != 2:
        raise UsageError(f"standard input holds {len(lines)} lines, and not key, newline, secret, newline",
                         code="not_a_pair", where="standard input", fix="see `rotator receive --help`")  # fmt: skip
    return typed(*lines)
