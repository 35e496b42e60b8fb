"""The model's org in memory, held to the same contract as the real adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract import salesforce_ports
from tests.model.calls import CONSUMER, USER, Truth
from tests.model.plans import CLOSED
from tests.model.ports import MemorySalesforce
from tests.model.strangers import stranger
from tests.model.world import World


class Unwatched(World):
    """The world without the invariants of a rotation: this suite is about single calls."""

    def health(self) -> tuple[bool, bool, bool]:
        return (True, True, True)


class AnyName(set[str]):
    """Holds every name: no rotation writes down here what it will end."""

    def __contains__(self, name: object) -> bool:
        return True


ACTS = {"stage": "admin stages", "expire": "slot expires", "promote": "admin promotes ours"}


@contextmanager
def memory() -> Iterator[salesforce_ports.World]:
    """The org of the proof, with an open intent, as its rules want one before each change."""
    w = Unwatched(truth=Truth(delete_slow=False), open_intents=["contract"], tokens={}, rows=[CLOSED],
                  named=AnyName())
    yield salesforce_ports.World(
        port=MemorySalesforce(w),
        app=CONSUMER.app_name,
        app_id=CONSUMER.app_id,
        org_id=CONSUMER.org_id,
        consumer_id=CONSUMER.consumer_id,
        user_id=USER,
        stranger=lambda act: stranger(w, ACTS[act], w.slot[0] if w.slot else None),
    )
