"""Opening a rotation: a first look, and what it says of the pair that is to be replaced."""

from __future__ import annotations

from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.words import Trigger
from rotator.ports import Lease, Opening
from rotator.saga.look import Eyes
from rotator.saga.seen import Picture
from rotator.saga.worker import Ports


def open_rotation(ports: Ports, lease: Lease, *, app: str, org: str, consumer: Consumer, target: Target,
                  policy: Policy, who: Who, trigger: Trigger) -> tuple[Rotation, Picture]:
    """Looks, then opens the row (or gives back the open one). Changes nothing outside.

    Raises ConfigError where Vault's settings could lose a version, and what the ports raise for reads.
    """
    ports.vault.preflight(target)
    picture = Eyes(ports.salesforce, ports.vault, consumer, target).picture()
    agrees = not picture.live.key or picture.live.key == picture.primary.key
    known = (picture.primary.key,) if agrees or trigger is not Trigger.FORCE else ()
    opening = Opening(app=app, org=org, consumer=consumer, target=target, policy=policy, who=who, trigger=trigger,
                      old_keys=known, old_version=picture.live.number)
    return ports.ledger.open(lease, opening), picture
