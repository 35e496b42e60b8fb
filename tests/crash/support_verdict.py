"""What must be true after a disturbed rotation, whatever the disturbance was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from rotator.domain.words import CLAIMS, Claim, Phase, State
from tests.crash.support import Committed, Site
from tests.crash.support_faults import changes

MILLISECOND = 0.001
LIVE_WRITERS = ("publish", "fence", "restore", "abandon", "clear")
ESCROW_WRITERS = ("escrow", "canary", "close")
# Which steps may have which effect at the far side.
ALLOWED: dict[str, tuple[str, ...]] = {
    "stage": ("stage",),
    "rotate": ("promote", "clear"),
    "delete": ("retire", "discard", "abandon", "clear"),
    "revoke": ("revoke",),
    "end session": ("revoke",),
    "end usage tokens": ("revoke",),
    "block": ("block",),
    "unblock": ("unblock",),
}


def no_outage(scene: Site) -> None:
    """Invariant 1 held after every request, and nothing was sent to a host that is not ours."""
    watch = scene.door.get("/invariants")
    assert watch["ok"], watch["violations"]
    assert watch["checks"] > 10
    strangers = [request for request in scene.history() if request["site"] == "trap"]
    assert not strangers, "a request went to another host"


def intents_first(history: Sequence[dict[str, Any]], notes: Sequence[Committed]) -> None:
    """Every change outside was sent while a committed intent of a step that does such things was open."""
    for request in history:
        if changes(request):
            wanted, still = steps_for(request), open_at(notes, request["n"])
            assert set(wanted) & set(still), f"{request['effect']} {request['about']} without an intent: open {still}"


def steps_for(request: dict[str, Any]) -> tuple[str, ...]:
    """The steps that may have the effect of this request."""
    if not request["effect"].startswith("kv."):
        return ALLOWED[request["effect"]]
    if "rotator-escrow/" in request["about"]:
        return ESCROW_WRITERS
    return ("destroy",) if request["effect"] == "kv.destroy" else LIVE_WRITERS


def open_at(notes: Sequence[Committed], n: int) -> list[str]:
    """The steps whose intent had been committed, and whose outcome had not, when the n-th request arrived."""
    still: list[str] = []
    for note in notes:
        if note.request >= n:
            break
        if note.phase is Phase.INTENT:
            still.append(note.step)
        elif note.phase is Phase.OUTCOME:
            still.clear()
    return still


def intents_first_by_time(history: Sequence[dict[str, Any]], trail: Sequence[dict[str, Any]]) -> None:
    """The same, by the clock that simulator and database share: to the millisecond, as SQLite has it."""
    for request in history:
        if not changes(request):
            continue
        still: list[str] = []
        for row in beside_anchors(trail):
            at = datetime.fromisoformat(row["ts"]).timestamp()
            if row["phase"] == Phase.INTENT and at <= request["at"]:
                still.append(row["step"])
            elif row["phase"] == Phase.OUTCOME and at < request["at"] - MILLISECOND:
                still.clear()
        assert set(steps_for(request)) & set(still), f"{request['effect']} without an intent: open {still}"


def beside_anchors(trail: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of rotations: a force is anchored by a thread beside its work, whose rows stand among them."""
    return [row for row in trail if row["step"] != "anchor"]


def never_blind(history: Sequence[dict[str, Any]], settle: float) -> None:
    """After a change that got no answer and had not happened when we looked, the same object is left alone for
    `settle` seconds: the call may still be on its way (invariant 4)."""
    for number, lost in enumerate(history):
        if lost["fault"] and lost["purpose"] in PURPOSES and (lost["late"] or not lost["applied"]):
            again = (one for one in history[number + 1 :] if object_of(one) == object_of(lost))
            for one in again:
                assert one["at"] - lost["at"] >= settle, f"{one['purpose']} {one['at'] - lost['at']} s after a lost one"


def object_of(request: dict[str, Any]) -> str:
    """What a request changes: the slot, the tokens, or one path of Vault; by the request where it changes nothing."""
    if request["purpose"] not in PURPOSES:
        return f"request {request['n']}"
    if request["site"] == "vault":
        return str(request["path"]).split("/", 4)[-1]
    if request["purpose"] == "turn switch":
        return "switch"
    return "slot" if "/staged" in request["path"] else "tokens"


# What an open intent must stand for when a process dies in such a request.
PURPOSES: dict[str, tuple[str, ...]] = {
    "stage": ("stage",), "promote": ("promote", "clear"), "delete slot": ("retire", "discard", "abandon", "clear"),
    "revoke token": ("revoke",), "end session": ("revoke",), "end usage tokens": ("revoke",),
    "turn switch": ("block", "unblock"),
    "kv write": (*LIVE_WRITERS, *ESCROW_WRITERS), "kv destroy": ("close", "destroy"), "kv delete": LIVE_WRITERS,
    "kv metadata write": LIVE_WRITERS,
}  # fmt: skip


def open_at_death(request: dict[str, Any], trail: Sequence[dict[str, Any]]) -> None:
    """The process died in this request: if that changes something, the last intent stands open in the trail."""
    wanted = PURPOSES.get(request["purpose"])
    still = [row for row in beside_anchors(trail) if row["phase"] in (Phase.INTENT, Phase.OUTCOME)][-1:]
    told = f"{request['purpose']} was sent with {still} as the last row"
    assert wanted is None or (still and still[0]["phase"] == Phase.INTENT and still[0]["step"] in wanted), told


def rotated(scene: Site, row: Any) -> None:
    """Done, and the world is as `done` says: new is primary and live, published exactly once, nothing else is left."""
    assert row.state is State.DONE, f"{row.state} {row.reason}: {row.message}"
    assert row.claims == dict.fromkeys(CLAIMS, Claim.PROVEN)
    stands(scene, row.new_key)
    assert published(scene) == [scene.billing["client_id"], row.new_key], "not published exactly once"


def untouched(scene: Site) -> None:
    """Everything is as it was before the rotation."""
    stands(scene, scene.billing["client_id"])
    assert published(scene) == [scene.billing["client_id"]]


def stands(scene: Site, key: str) -> None:
    """This pair is primary and live, the slot is empty, and escrow holds nothing."""
    truth = scene.door.get("/truth")["acme"]["billing"]
    one = truth["consumers"][0]
    assert (one["primary"]["key"], truth["live"]["key"], one["slot"]) == (key, key, [])
    left = [number for number, fields in versions(scene, f"rotator-escrow/{scene.target.escrow_name}") if fields]
    assert not left, f"escrow versions {left} still hold something"


def published(scene: Site) -> list[str]:
    """The keys that readers of the live path got, one after the other; a fence repeats one and is not seen by them."""
    keys = [fields["client_id"] for _, fields in versions(scene, scene.target.path) if fields]
    return [key for key, _ in groupby(keys)]


def versions(scene: Site, path: str) -> list[tuple[int, dict[str, Any]]]:
    """Every version of a path with its fields; none where it was destroyed."""
    meta = scene.vault_root("GET", f"metadata/{path}")
    numbers = sorted(int(number) for number in (meta or {}).get("versions", {}))
    return [(n, (scene.vault_root("GET", f"data/{path}?version={n}") or {}).get("data") or {}) for n in numbers]


def silent(scene: Site, folder: Path, but: Sequence[str] = ()) -> None:
    """No secret stands in a file of this folder: neither in the database and its log files, nor in what was said."""
    secrets = [value.encode() for value in scene.door.get("/secrets") if value]
    for file in (file for file in folder.iterdir() if file.name not in but):
        data = file.read_bytes()
        assert not any(secret in data for secret in secrets), f"a secret stands in {file.name}"
