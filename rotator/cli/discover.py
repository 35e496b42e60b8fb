"""`rotator discover`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rotator.cli import out
from rotator.cli.base import Command
from rotator.cli.counting import counted
from rotator.cli.session import session
from rotator.log_words import clean

if TYPE_CHECKING:
    from rotator.wiring.discovery.union import Discovery

KINDS = {"external_client_app": "external", "connected_app": "classic"}


@click.command(cls=Command)
@click.argument("org")
@click.option("--toml", is_flag=True, help="Stanzas for the apps that are not managed, ready but for `vault_path`.")
@click.pass_context
def discover(context: click.Context, org: str, toml: bool) -> int:
    """Shows every app of an org, managed or not, with its run-as user, last use and age. Changes nothing.

    Asks Salesforce for keys, never for secrets.
    """
    with session(context) as here:
        from rotator.wiring.discovery.union import discover as look

        connections = here.connect()
        with counted("apps looked at") as progress, look(connections, org, progress) as found:
            if here.common.as_json:
                _document(found)
            elif toml:
                _toml(found, list(connections.config.apps))
            else:
                _table(found)
    return 0


def _document(found: Discovery) -> None:
    """One document, an app to a line: there may be thousands."""
    out.say(f'{{"ok": true, "exit": 0, "org": {json.dumps(found.org)}, "apps": [')
    comma = ""
    for one in found.entries():
        out.say(comma + json.dumps(one, ensure_ascii=False))
        comma = ","
    counts = json.dumps({state.value: number for state, number in found.counts.items()})
    unseen = json.dumps([asdict(one) for one in found.unseen], ensure_ascii=False)
    out.say(f'], "counts": {counts}, "complete": {json.dumps(not found.unseen)}, "unseen": {unseen}}}')


def _toml(found: Discovery, names: list[str]) -> None:
    from rotator.wiring.discovery.words import stanzas

    for stanza in stanzas(found.org, found.entries(), names):
        out.say(stanza)
    _unseen(found, out.note)


def _table(found: Discovery) -> None:
    for one in found.entries():
        out.say(line(one))
    out.say(", ".join(f"{number} {state.value}" for state, number in sorted(found.counts.items())) or "no apps")
    _unseen(found, out.say)


def line(one: Mapping[str, Any]) -> str:
    """One line per app, or per consumer of it."""
    from rotator.wiring.discovery.words import about

    name = one["managed_as"] or one["developer_name"] or "-"
    kind = KINDS.get(one["kind"], one["kind"])
    named = f"named by {', '.join(one['sources']) or 'the configuration alone'}"
    return f"{one['state']:<9} {clean(name):<24} {kind:<9} {one['owner']:<7} {clean(f'{about(one)}; {named}')}"


def _unseen(found: Discovery, say: Callable[[str], None]) -> None:
    """What was not visible, and what would mend it."""
    for one in found.unseen:
        many = f" ({one.apps} apps)" if one.apps else ""
        say(f"could not see {clean(f'{one.what}{many}: {one.message}')}")
        say(f"  fix: {clean(one.fix)}")
