"""Opening a rotation: a first look, and what it says of the pair that is to be replaced."""

from __future__ import annotations

from collections.abc import Set

from rotator.domain.errors import Refused
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.words import Trigger
from rotator.ports import Lease, Opening
from rotator.saga.look import Eyes
from rotator.saga.seen import Picture
from rotator.saga.worker import Ports


def own_consumer(app: str, org: str) -> Refused:
    """Why this app is no target."""
    return Refused(f"{app} is the consumer that the rotator itself logs in with", code="own_consumer",
                   fix="make an External Client App for the rotator alone; its own pair is rotated as"
                   f" `rotator rotate {org}/admin`, by a second identity (`spare`)")  # fmt: skip


def open_rotation(ports: Ports, lease: Lease, *, app: str, org: str, consumer: Consumer, target: Target,
                  policy: Policy, who: Who, trigger: Trigger,
                  untouchable: Set[str] = frozenset()) -> tuple[Rotation, Picture]:
    """Looks, then opens the row (or gives back the open one). Changes nothing outside. `untouchable`: the consumer keys
    that the rotator itself logs in with.

    Raises ConfigError where Vault's settings could lose a version, Refused (`own_consumer`) for a consumer with such a
    key, and what the ports raise for reads.
    """
    ports.vault.preflight(target)
    picture = Eyes(ports.salesforce, ports.vault, consumer, target).picture()
    present = picture.live.key if consumer.assisted else picture.primary.key
    if untouchable & {present, *(entry.pair.key for entry in picture.slots)}:
        raise own_consumer(app, org)
    agrees = not picture.live.key or picture.live.key == present
    known = (present,) if present and (agrees or trigger is not Trigger.FORCE) else ()
    opening = Opening(app=app, org=org, consumer=consumer, target=target, policy=policy, who=who, trigger=trigger,
                      old_keys=known, old_version=picture.live.number)
    return ports.ledger.open(lease, opening), picture
