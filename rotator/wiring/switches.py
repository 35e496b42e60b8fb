"""Whose an app's block is. The OAuth switch is the app's, not the consumer's: what one rotation turns, all of them
feel, so at most one of them has it in hand (protocol section 3, "With --block-first")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from rotator.adapters.sql.switches import last_turned
from rotator.domain.errors import Refused, RotatorError
from rotator.domain.pair import Consumer
from rotator.domain.rotation import Rotation
from rotator.domain.sighting import Turned
from rotator.ports import Salesforce
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections

LEASE = "switch:"  # before the app's id, in the place of a consumer's id, which begins with 888


def holders(connections: Connections, consumer: Consumer) -> list[Rotation]:
    """The open rotations, of whatever consumer of this app, that keep it blocked or are going to."""
    rows = (row for row in connections.ledger.rotations(open_only=True) if _one_app(row.consumer, consumer))
    return [row for row in rows if in_hand(row) or (row.policy.block_first and row.switch != "unblocked")]


def in_hand(row: Rotation) -> bool:
    """Whether it has blocked the app, as far as is known, and not yet unblocked it."""
    return row.switch in ("blocking", "blocked")


def _one_app(left: Consumer, right: Consumer) -> bool:
    return (left.org_id[:15], left.app_id[:15]) == (right.org_id[:15], right.app_id[:15])


def last_word(connections: Connections, name: str) -> Turned | None:
    """Who turned the switch last, under whichever name the app's consumers have in the configuration."""
    apps = connections.config.apps
    mine = apps.get(name)
    names = [other for other, one in apps.items() if mine and (one.org, one.app) == (mine.org, mine.app)]
    return connections.database.read(partial(last_turned, apps=names or [name]))


@contextmanager
def in_nobodys_hand(connections: Connections, name: str, consumer: Consumer, salesforce: Salesforce, *,
                    block_first: bool) -> Iterator[None]:
    """While a force opens. A lease on no consumer keeps out whoever opens another one that blocks the same app.

    Raises Refused (`block_first_open`) where another consumer's rotation keeps the app blocked or is going to, and
    (`blocked_by_hand`) where a person has blocked it and the force would have to verify its pair nevertheless.
    """
    found = holders(connections, consumer)
    mine = [row for row in found if row.consumer.consumer_id == consumer.consumer_id]  # that, a force takes over
    if not (block_first or mine) and _by_hand(connections, name, consumer, salesforce):
        raise _blocked(name)
    alone = block_first and consumer.siblings > 0
    ledger, seconds = connections.ledger, connections.config.timing.lease.total_seconds()
    lease = ledger.claim(consumer.org_id, LEASE + consumer.app_id, owner(), seconds) if alone else None
    try:
        others = [row for row in holders(connections, consumer) if row.consumer.consumer_id != consumer.consumer_id]
        if others or (alone and lease is None):
            raise _taken(name, others[0].app if others else "another consumer of the app")
        yield
    finally:
        if lease is not None:
            ledger.yield_lease(lease)


def _by_hand(connections: Connections, name: str, consumer: Consumer, salesforce: Salesforce) -> bool:
    """The trail says so and the org as well. What cannot be seen must not delay the answer to a compromise."""
    with suppress(RotatorError):
        last = last_word(connections, name)
        return last is not None and last.step == "block" and not last.rotation_id and salesforce.blocked(consumer)
    return False


def _blocked(name: str) -> Refused:
    return Refused(f"a person has blocked {name}: while it is blocked no pair logs in, and none can be verified",
                   code="blocked_by_hand", fix=f"`rotator force {name} --block-first ...` replaces the pair behind the"
                   f" block and unblocks it in the end; or `rotator unblock {name} ...` first")  # fmt: skip


def _taken(name: str, other: str) -> Refused:
    return Refused(f"the forced rotation of {other} has the OAuth switch in hand, which {name} shares: the two would"
                   " unblock the app under each other's feet", code="block_first_open",
                   fix="let it finish (`rotator status`; where it is held: `rotator release`), then force this one")
