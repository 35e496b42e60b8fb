"""The looks of the sweep: is an app, between its rotations, as we left it? They change nothing in the org or in Vault.

A look is a name and a function; a further one is a line more in LOOKS. One that raises could not look, which is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from rotator.domain.errors import Refused, RotatorError
from rotator.domain.pair import Author, Consumer, Live, Pair, SlotState, Staged, Target, fingerprint
from rotator.domain.sighting import Past, Sight, Sighting
from rotator.ports import Salesforce, Vault


@dataclass(frozen=True)
class Scene:
    """One app without an open rotation; each place is read once, when a look asks for it."""

    app: str
    consumer: Consumer
    target: Target
    past: Past
    salesforce: Salesforce
    vault: Vault

    @cached_property
    def primary(self) -> Pair:
        return self.salesforce.primary(self.consumer)

    @cached_property
    def slots(self) -> tuple[Staged, ...]:
        return self.salesforce.slot(self.consumer)

    @cached_property
    def live(self) -> Live:
        return self.vault.live(self.target)


Finding = tuple[str, str, str]  # what, in words, the next action
Look = Callable[[Scene], Finding | None]


def sweep(scene: Scene) -> tuple[Sighting, ...]:
    """What each look came to."""
    return tuple(_seen(name, look, scene) for name, look in LOOKS)


def _seen(name: str, look: Look, scene: Scene) -> Sighting:
    try:
        found = look(scene)
    except RotatorError as error:
        return Sighting(name, Sight.BLIND, error.code, f"could not look: {error.message}", error.fix)
    if found is None:
        return Sighting(name)
    what, words, fix = found
    return Sighting(name, Sight.DRIFT, what, words, fix)


def _orphan(scene: Scene) -> Finding | None:
    """A staged slot that is filled although no rotation is open."""
    if not scene.slots:
        return None
    named = [(fingerprint(entry.pair.key), entry.state.value, _whose(scene.past, entry)) for entry in scene.slots]
    told = [f"{key} ({state}): {whose}" for key, state, whose in named]
    what = ",".join(sorted(f"{key}:{state}" for key, state, _ in named))
    return what, f"the staged slot is filled and no rotation is open: {'; '.join(told)}", (
        f"find out whose it is; unless it is wanted, delete it in Setup: the next rotation of {scene.app} would hold")


def _whose(past: Past, entry: Staged) -> str:
    mine = past.author(entry.pair.key)
    if mine is not None:
        return f"ours, from rotation {mine.rotation_id} ({mine.state})"
    if entry.author is Author.THEM or entry.state is not SlotState.ACTIVE:
        return "somebody else's"
    if past.lost_post:
        return f"perhaps ours: the POST of rotation {past.lost_post} had no clear answer, and may have landed late"
    return "our user's, but in no rotation of ours" if entry.author is Author.US else "not known to us"


def drift(scene: Scene) -> Finding | None:
    """Salesforce, the live path and our record must name one key."""
    primary, live, ruling = scene.primary.key, scene.live.key, scene.past.ruling
    keys = [("primary", primary), ("live", live), ("record", ruling)]
    if primary == (live or primary) == (ruling or primary) and (live or not ruling):
        return None
    what = ",".join(f"{name}:{fingerprint(key)}" for name, key in keys)
    return what, "; ".join(_differences(primary, live, ruling)), (
        f"find out who changed it (Setup Audit Trail, the versions of {scene.target.path}); then"
        f" `rotator adopt {scene.app}` gives the live path the pair that Salesforce takes")  # fmt: skip


def _differences(primary: str, live: str, ruling: str) -> Iterator[str]:
    if live and live != primary:
        yield f"the live path serves {fingerprint(live)}, Salesforce's primary is {fingerprint(primary)}"
    if not live:
        yield "the live path serves nothing, although we rotated it"
    if ruling and primary != ruling:
        yield f"the primary is not the pair {fingerprint(ruling)} that our last rotation made it: somebody else rotated"


def _switch(scene: Scene) -> Finding | None:
    """The app's OAuth switch is off, and no person said so here. An app whose switch we never touched, in an org that
    does not let us see it, is none of our business: `check` tells of the permission."""
    last = scene.past.turned
    try:
        blocked = scene.salesforce.blocked(scene.consumer)
    except Refused:
        if last is None:
            return None
        raise
    by_command = last is not None and last.step == "block" and not last.rotation_id
    if not blocked or by_command:
        return None
    return SWITCH, "the app's OAuth switch is off, so that no pair of it logs in", (
        f"find out who turned it off (Setup Audit Trail); then `rotator unblock {scene.app}`")


SWITCH = "switch"  # the look that the sweep may mend: a block of ours that landed late
LOOKS: tuple[tuple[str, Look], ...] = (("slot", _orphan), ("keys", drift), (SWITCH, _switch))
