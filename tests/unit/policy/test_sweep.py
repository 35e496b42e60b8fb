"""The looks of the sweep: pictures in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rotator.checks.sweep import LOOKS, Scene, sweep
from rotator.domain.errors import Refused, Unavailable
from rotator.domain.pair import Author, Credential, Live, Pair, SlotState, Staged, fingerprint
from rotator.domain.sighting import Own, Past, Sight, Taken, Turned
from tests.contract.ledger_ports import CONSUMER, TARGET

NEW, OLD, FOREIGN = "key-new", "key-old", "key-foreign"
EARLIER, LATER = (datetime(2026, month, 1, tzinfo=UTC) for month in (9, 10))
RULED = (Own(NEW, "r2", "done", ruled=LATER), Own(OLD, "r0", "done", ruled=EARLIER))
PAST = Past((*RULED, Own("key-discarded", "r1", "abandoned")))


class World:
    """Primary, slot and live path as they are told; reads nothing else, and can do nothing else."""

    def __init__(self, primary: str = NEW, slots: Sequence[Staged] = (), live: str = NEW, down: str = "", *,
                 blocked: bool = False) -> None:
        self._told: dict[str, Any] = {
            "primary": Pair(primary), "slot": tuple(slots), "live": Live(3, Credential(Pair(live)) if live else None),
            "blocked": blocked}
        self._down = down

    def __getattr__(self, name: str) -> Any:
        def read(*_: object) -> Any:
            if name == self._down == "blocked":
                raise Refused("no permission", code="metadata_permission")
            if name == self._down:
                raise Unavailable(f"the {name} does not answer", code="down")
            return self._told[name]

        return read


def seen(world: World, past: Past = PAST) -> dict[str, tuple[Sight, str, str]]:
    """What each look came to."""
    scene = Scene("billing", CONSUMER, TARGET, past, world, world)
    return {one.look: (one.state, one.words, one.what) for one in sweep(scene)}


def staged(key: str, state: SlotState = SlotState.ACTIVE, author: Author = Author.UNKNOWN) -> World:
    """A world whose slot is filled."""
    return World(slots=[Staged("s1", Pair(key), state, author)])


def test_the_last_word_on_the_ruling_pair_counts() -> None:
    """An adoption after the last good rotation rules, one before it does not."""
    assert replace(PAST, taken=Taken(FOREIGN, LATER + timedelta(days=1))).ruling == FOREIGN
    assert replace(PAST, taken=Taken(FOREIGN, LATER - timedelta(days=1))).ruling == NEW
    assert Past(taken=Taken(FOREIGN, LATER)).ruling == FOREIGN


def test_an_app_as_we_left_it_is_fine() -> None:
    """Slot empty, one key everywhere; and an app that we never rotated, whose live path serves nothing yet."""
    assert {state for state, _, _ in seen(World()).values()} == {Sight.OK}
    assert {state for state, _, _ in seen(World(live=""), Past()).values()} == {Sight.OK}
    assert {state for state, _, _ in seen(World(FOREIGN, live=FOREIGN), Past()).values()} == {Sight.OK}


@pytest.mark.parametrize(("world", "past", "words"), [
    (staged("key-discarded"), PAST, "ours, from rotation r1 (abandoned)"),
    (staged(OLD, SlotState.ROTATED), PAST, "ours, from rotation r0 (done)"),
    (staged(FOREIGN, author=Author.THEM), PAST, "somebody else's"),
    (staged(FOREIGN, SlotState.ROTATED), Past(PAST.own, "r2"), "somebody else's"),
    (staged(FOREIGN), Past(PAST.own, "r2"), "perhaps ours: the POST of rotation r2"),
    (staged(FOREIGN, author=Author.US), PAST, "our user's, but in no rotation of ours"),
    (staged(FOREIGN), PAST, "not known to us"),
])  # fmt: skip
def test_a_filled_slot_is_told_with_whose_it_may_be(world: World, past: Past, words: str) -> None:
    """By the keys that our own POSTs gave us, the author where Salesforce gives one, and a POST whose outcome we never
    learned; `what` names the pair by its fingerprint, so the same one is told once."""
    state, told, what = seen(world, past)["slot"]
    assert state is Sight.DRIFT
    assert words in told
    assert what.partition(":")[0] in told


@pytest.mark.parametrize(("world", "words"), [
    (World(live=OLD), f"the live path serves {fingerprint(OLD)}, Salesforce's primary is {fingerprint(NEW)}"),
    (World(live=""), "the live path serves nothing, although we rotated it"),
    (World(FOREIGN), "somebody else rotated"),
    (World(FOREIGN, live=FOREIGN), "somebody else rotated"),
    (World(OLD, live=OLD), "somebody else rotated"),
])  # fmt: skip
def test_keys_that_disagree_are_told(world: World, words: str) -> None:
    """Primary, live path and record; in the words of the one that is out of step."""
    state, told, _ = seen(world)["keys"]
    assert state is Sight.DRIFT
    assert words in told


@pytest.mark.parametrize(("down", "looks"), [("slot", {"slot"}), ("primary", {"keys"}), ("live", {"keys"})])
def test_a_look_that_cannot_look_is_no_pass(down: str, looks: set[str]) -> None:
    """It says so and with what code; the other looks still look."""
    found = seen(World(down=down))
    assert {look for look, (state, _, _) in found.items() if state is Sight.BLIND} == looks
    assert {found[look][1:] for look in looks} == {(f"could not look: the {down} does not answer", "down")}
    assert set(found) == {name for name, _ in LOOKS}


def turned(step: str, rotation_id: str = "") -> Past:
    """The last word on the switch."""
    return Past(PAST.own, turned=Turned(step, rotation_id, datetime(2026, 11, 24, tzinfo=UTC)))


@pytest.mark.parametrize(("past", "state"), [
    (PAST, Sight.DRIFT), (turned("unblock", "r2"), Sight.DRIFT), (turned("block", "r2"), Sight.DRIFT),
    (turned("unblock"), Sight.DRIFT), (turned("block"), Sight.OK)])
def test_a_switch_that_is_off_is_told_unless_a_person_said_so_here(past: Past, state: Sight) -> None:
    """Whoever turned it: an outage. A `rotator block` is what somebody wanted."""
    assert seen(World(blocked=True), past)["switch"][0] is state
    assert seen(World(), past)["switch"][0] is Sight.OK


def test_a_switch_that_we_never_touched_and_may_not_see_is_none_of_our_business() -> None:
    """Without the permission: fine where we never turned it, blind where we did."""
    assert seen(World(down="blocked"))["switch"][0] is Sight.OK
    assert seen(World(down="blocked"), turned("unblock", "r2"))["switch"][0] is Sight.BLIND
