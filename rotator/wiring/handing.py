"""A person's words to an assisted rotation: here is a new pair; Apply was clicked."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from rotator.adapters.sql.survey import apps_with_key
from rotator.domain.errors import Refused, RotatorError, UsageError
from rotator.domain.handed import must_be_a_pair
from rotator.domain.pair import Pair
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Word
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting, Spoken, Until
from rotator.wiring.rotate import way_of_open
from rotator.wiring.settings import target_of
from rotator.wiring.undo import opened

MOST_PATHS = 50  # live paths of the same org that a pair is compared with


def receive(connections: Connections, setting: Setting, app: str, who: Who, pair: Pair, *, replace: bool) -> Errand:
    """Hands a pair over. Gives the errand that keeps it in escrow, and goes on until Apply is awaited.

    Raises UsageError for an unknown app and for what is no new pair of it (nothing is changed), Refused where no
    rotation of it is open.
    """
    row = _assisted(connections, app, "receive", who)
    must_be_a_pair(pair, row.ours)
    _must_be_of(connections, row, pair)
    return _errand(connections, setting, row, Spoken(Word.REPLACE if replace else Word.RECEIVE, who, pair))


def applied(connections: Connections, setting: Setting, app: str, who: Who) -> Errand:
    """Says that Apply was clicked. Gives the errand that polls, publishes and proves. Raises as `receive`."""
    row = _assisted(connections, app, "applied", who)
    return _errand(connections, setting, row, Spoken(Word.APPLIED, who))


def _assisted(connections: Connections, app: str, command: str, who: Who) -> Rotation:
    row = opened(connections, app, command, who)
    if not row.consumer.assisted:
        raise Refused(f"{app} is rotated through the API: nobody hands a pair over", code="not_assisted",
                      fix="see `rotator status`")
    return row


def _errand(connections: Connections, setting: Setting, row: Rotation, spoken: Spoken) -> Errand:
    return Errand(setting, row.app, Until.DONE, partial(way_of_open, connections, row), spoken=spoken)


def _must_be_of(connections: Connections, row: Rotation, pair: Pair) -> None:
    """No other app's pair, as far as the ledger and the live paths of the same org tell."""
    mine = (row.consumer.org_id, row.consumer.consumer_id)
    others = [app for app, consumer in apps_with_key(connections.database, pair.key) if consumer != mine]
    others += [name for name in _neighbours(connections, row) if _live_key(connections, name) == pair.key]
    if others:
        raise UsageError(f"this pair is that of {others[0]}", code="other_app", where="the pair",
                         fix=f"open {row.consumer.label or row.app} in Setup and hand over its pair")  # fmt: skip


def _neighbours(connections: Connections, row: Rotation) -> list[str]:
    apps = connections.config.apps.items()
    return [name for name, app in apps if app.org == row.org and app.vault_path != row.target.path][:MOST_PATHS]


def _live_key(connections: Connections, name: str) -> str:
    app = connections.config.apps[name]
    with suppress(RotatorError):  # a path that cannot be read tells nothing
        return connections.ports(app.org).vault.live(target_of(name, app, "")).key
    return ""
