"""The changes that a calibration makes to its app: each with an intent before it and an outcome after it, and after an
unclear answer with a look before anything else (invariants 4 and 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rotator.checks.calibrate.lab import TRIES, Lab
from rotator.domain.errors import OutcomeUnknown, Refused, RotatorError, SlotTaken, Unavailable, Unintelligible
from rotator.domain.pair import Author, Pair, Staged, fingerprint
from rotator.domain.session import Grant
from rotator.domain.words import Outcome, Phase


def changed(lab: Lab, act: str, change: Callable[[], None], happened: Callable[[], bool],
            came: Callable[[], Mapping[str, object]] = dict, **evidence: object) -> None:
    """Makes a change, once: told as done, as refused, or looked at until it is known. `happened` looks; `came`: what
    the outcome has to tell. Raises Refused, and what reads raise."""
    lab.note(Phase.INTENT, act=act, **evidence)
    try:
        _pressed(lab, act, change, happened)
    except RotatorError as error:
        outcome = Outcome.REFUSED if isinstance(error, Refused) else Outcome.UNKNOWN
        lab.note(Phase.OUTCOME, outcome, error, act=act, **evidence)
        raise
    lab.note(Phase.OUTCOME, Outcome.OK, act=act, **{**evidence, **came()})


def _pressed(lab: Lab, act: str, change: Callable[[], None], happened: Callable[[], bool]) -> None:
    """Tried again where it is certain that nothing changed; never repeated blindly."""
    for _ in range(TRIES):
        try:
            return lab.patient(change, act, (Unavailable,))
        except (OutcomeUnknown, Unintelligible):
            if happened():
                return None
            lab.settle()
            if happened():
                return None
    raise Unavailable(f"{act}: no clear answer, and no change seen", code="calibrate_unclear")


def slot(lab: Lab) -> tuple[Staged, ...]:
    """What stands in the slot."""
    return lab.patient(lambda: lab.org.slot(lab.consumer), "reads the staged slot")


def primary(lab: Lab, *, with_secret: bool = False) -> Pair:
    """The main pair."""
    return lab.patient(lambda: lab.org.primary(lab.consumer, with_secret=with_secret), "reads the primary pair")


def stage(lab: Lab) -> Staged:
    """Mints a pair into the empty slot. A pair of an answer that got lost is deleted, and another one minted.

    Raises SlotTaken where somebody else is at the slot, Refused as the org says no.
    """
    minted: list[Staged] = []

    def mint() -> None:
        clear(lab, "left by a call of ours without an answer")
        minted.append(post(lab))

    changed(lab, "stage", mint, lambda: False, lambda: {"key_fp": fingerprint(minted[-1].pair.key)}, slot_was="empty")
    return minted[-1]


def post(lab: Lab) -> Staged:
    """The POST itself, once. What it mints is ours."""
    late, lab.minting = lab.minting, True
    try:
        entry = lab.org.stage(lab.consumer)
    except SlotTaken:
        if late:
            raise OutcomeUnknown("an earlier call of ours has landed late") from None
        lab.minting = False
        raise
    except (Refused, Unavailable):
        lab.minting = late
        raise
    lab.ours.add(fingerprint(entry.pair.key))
    lab.minting = late
    return entry


def clear(lab: Lab, why: str) -> None:
    """Deletes what stands in the slot and is ours; nothing where it is empty. Raises SlotTaken for another's pair."""
    entries = slot(lab)
    others = [entry for entry in entries if fingerprint(entry.pair.key) not in lab.ours]
    lost = lab.minting and len(others) == 1 and others[0].author is not Author.THEM
    if others and not lost:
        names = ", ".join(fingerprint(entry.pair.key) for entry in others)
        raise SlotTaken(f"the staged slot holds a pair that is not ours: {names}",
                        fix="find out who staged it; delete it in Setup, and run calibrate again")
    for entry in entries:
        delete(lab, entry, why)


def delete(lab: Lab, entry: Staged, why: str) -> float:
    """Deletes this entry, matched by its key (invariant 6). Gives when the call began, by the clock."""
    began = lab.clock.monotonic()

    def drop() -> None:
        nonlocal began
        there = _entry_of(lab, entry.pair.key)
        began = lab.clock.monotonic()
        if there is not None:
            lab.org.delete(lab.consumer, there.id)

    changed(lab, "delete", drop, lambda: _entry_of(lab, entry.pair.key) is None, why=why,
            key_fp=fingerprint(entry.pair.key))  # fmt: skip
    return began


def _entry_of(lab: Lab, key: str) -> Staged | None:
    return next((entry for entry in slot(lab) if entry.pair.key == key), None)


def promote(lab: Lab, entry: Staged) -> float:
    """Makes the staged pair primary, after it went to the live path where there is one. Gives when the call began."""
    old = fingerprint(primary(lab).key)
    lab.ours.add(old)
    if lab.publish is not None:
        lab.publish(entry.pair)
    began = lab.clock.monotonic()

    def rotate() -> None:
        nonlocal began
        began = lab.clock.monotonic()
        lab.org.promote(lab.consumer, entry.id)

    changed(lab, "promote", rotate, lambda: primary(lab).key == entry.pair.key, key_fp=fingerprint(entry.pair.key),
            displaced_fp=old, slot_id=entry.id)  # fmt: skip
    return began


def turn_switch(lab: Lab, *, blocked: bool) -> None:
    """Turns the app's OAuth switch, and looks whether it moved."""

    def stands() -> bool:
        return lab.patient(lambda: lab.org.blocked(lab.consumer), "reads the app's OAuth switch") is blocked

    changed(lab, "block" if blocked else "unblock", lambda: lab.org.set_blocked(lab.consumer, blocked), stands)


def end(lab: Lab, grant: Grant) -> None:
    """Pulls a lever on one grant; already gone is success, so an unclear answer is asked again."""
    changed(lab, "end", lambda: lab.org.end(lab.consumer, grant), lambda: False, lever=grant.lever.value, ref=grant.ref)
