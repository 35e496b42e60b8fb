"""What strangers do to the org and to the live path: the foreign acts of the protocol's proof."""

from __future__ import annotations

from dataclasses import replace

from rotator.domain.pair import Credential, SlotState
from tests.model.calls import THEM, US, Entry
from tests.model.world import World

FOREIGN = (
    "admin stages", "attacker stages as us", "attacker swaps ours for his, as us", "admin deletes our staged pair",
    "admin deletes the Rotated pair", "admin promotes ours", "admin promotes the Rotated pair", "slot expires",
    "primary replaced", "admin stages and promotes", "second entry", "stranger writes live",
    "stranger rolls live back", "stranger edits his field",
)  # fmt: skip

ATTACKER = ("force", *FOREIGN[1:5], "admin promotes ours", "admin stages and promotes")


def stranger(w: World, act: str, entry: Entry | None) -> None:
    state = entry.state if entry else None
    now = w.live.get(w.live_number)
    if entry and "swaps" in act and state is SlotState.ACTIVE:
        w.slot.remove(entry)
    if act == "admin stages and promotes":
        w.slot = [Entry(f"id{next(w.numbers)}", w.new_pair(w.foreign), SlotState.ACTIVE, THEM)]
        w.swap(w.slot[0])
    elif act == "second entry" or (("stages" in act or "swaps" in act) and not w.slot):
        author = US if "as us" in act else THEM
        w.slot.insert(0, Entry(f"id{next(w.numbers)}", w.new_pair(w.foreign), SlotState.ACTIVE, author))
    elif entry and "deletes" in act and state is (SlotState.ROTATED if "Rotated" in act else SlotState.ACTIVE):
        w.kill(entry)
    elif entry and "promotes" in act and state is (SlotState.ROTATED if "Rotated" in act else SlotState.ACTIVE):
        w.swap(entry)
    elif act == "slot expires" and entry:
        w.slot[0] = entry._replace(state=SlotState.EXPIRED)
    elif act == "primary replaced":
        w.primary = w.new_pair(w.foreign)
    elif "live" in act or "field" in act:
        stranger_writes(w, act, now)


def stranger_writes(w: World, act: str, now: Credential | None) -> None:
    older = [v for n, v in sorted(w.live.items()) if now and v.pair != now.pair]
    if now is None or ("rolls" in act and not older):
        return
    w.live_number += 1
    if "field" in act:
        w.live[w.live_number] = replace(now, other={"note": "edited"})
    else:
        w.live[w.live_number] = older[-1] if "rolls" in act else Credential(w.new_pair(w.foreign), "", {"note": ""})
