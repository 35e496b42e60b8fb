"""Before a calibration: is the app one that nobody needs? And what an earlier calibration left, which is cleared away.

What an earlier one left is known by its rows in the trail alone: keys that it staged, displaced or deleted, a POST
without an outcome, a switch that it turned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rotator.checks.calibrate import acts
from rotator.checks.calibrate.lab import Lab
from rotator.domain.errors import Refused
from rotator.domain.session import Grant, Lever, Listing
from rotator.domain.words import Outcome, Phase

Row = Mapping[str, Any]
SLACK = timedelta(minutes=1)  # between the database's clock and the org's, which may write whole seconds
ANOTHER = "make an External Client App for this alone, with a run-as user of its own: docs/calibrate.md"


@dataclass(frozen=True, slots=True)
class Left:
    """What the trail says of earlier calibrations of this consumer."""

    keys: frozenset[str] = frozenset()  # fingerprints of pairs that passed through our hands
    minting: bool = False  # the last POST has no outcome: one pair in the slot may be ours
    blocking: bool = False  # the last word about the switch was ours, and it was "off"
    since: datetime | None = None  # the first row: tokens from then on may be ours


def left_behind(rows: Iterable[Row]) -> Left:
    """From the rows of the trail, oldest first: `ts`, `phase`, and `evidence` with `act`."""
    keys, minting, blocking = set[str](), False, False
    since: datetime | None = None
    for row in rows:
        told, intent = row["evidence"], row["phase"] == Phase.INTENT
        since = since or datetime.fromisoformat(row["ts"])
        keys |= {str(told[name]) for name in ("key_fp", "displaced_fp") if told.get(name)}
        if told.get("act") in ("stage", "second stage"):
            minting = intent or row["outcome"] == Outcome.UNKNOWN
        if told.get("act") in ("block", "unblock") and (intent or row["outcome"] == Outcome.OK):
            blocking = told["act"] == "block" or intent
    return Left(frozenset(keys), minting, blocking, since)


def must_be_unused(lab: Lab, own_keys: Iterable[str]) -> None:
    """Before anything else: reads alone. Raises Refused with what speaks against this app."""
    if lab.consumer.siblings:
        _no(f"it has {lab.consumer.siblings} other consumers, which a block would lock out")
    if acts.primary(lab).key in set(own_keys):
        _no("the rotator itself logs in with it")
    held = lab.patient(lambda: lab.org.holders(lab.consumer), "looks who holds tokens of the app")
    if len(held.users) > 1:
        _no(f"{len(held.users)} users hold tokens of it")


def must_have_no_tokens(lab: Lab, left: Left) -> tuple[Grant, ...]:
    """No living token or session but such as an earlier calibration may have left; gives those. Raises Refused."""
    grants = [grant for lever in Lever for grant in listed(lab, lever).grants]
    foreign = [g for g in grants if left.since is None or g.created is None or g.created < left.since - SLACK]
    if foreign:
        _no(f"{len(foreign)} tokens or sessions of it are alive, and not from a calibration",
            f"revoke them (Setup, External Client Apps OAuth Usage) where they are yours; else {ANOTHER}")  # fmt: skip
    return tuple(grants)


def listed(lab: Lab, lever: Lever) -> Listing:
    """What one lever knows of the run-as user's logins through this app."""
    return lab.patient(lambda: lab.org.grants(lab.consumer, lab.user_id, lever), f"lists what {lever} shows")


def clear_left_over(lab: Lab, left: Left) -> None:
    """The slot empty and the app unblocked, as far as it was ours. Raises SlotTaken for a pair of somebody else."""
    if left.blocking and lab.patient(lambda: lab.org.blocked(lab.consumer), "reads the app's OAuth switch"):
        acts.turn_switch(lab, blocked=False)
    lab.ours |= left.keys
    lab.minting = left.minting
    acts.clear(lab, "left by an earlier calibration")


def _no(message: str, fix: str = ANOTHER) -> None:
    raise Refused(f"this app looks used: {message}", code="app_in_use", fix=fix)
