"""`rotator block`, `unblock`, `revoke` and `force --block-first`, as a person runs them."""

from __future__ import annotations

from typing import Any

import pytest

from rotator.adapters.sql.sweeps import seen
from rotator.config import load
from rotator.process import Stop, SystemClock
from rotator.wiring.connections import Connections
from rotator.wiring.sweeping import Sweep
from tests.acceptance.scene import Scene

WHY = ("--reason", "key in a log", "--ticket", "INC-7")
STATED = 'staged_pair_accepted = "yes"\nrotated_pair_accepted = "yes"'


def enabled(scene: Scene, app: str = "billing") -> bool:
    """By the org's own record: the app's OAuth switch is on."""
    return bool(scene.door("GET", "/truth")["acme"][app]["oauth_plugin_enabled"])


def rows(scene: Scene, *steps: str) -> list[tuple[str, str, str | None]]:
    """What the trail says of these steps: step, phase, outcome."""
    return [(e["step"], e["phase"], e["outcome"]) for e in scene.events() if e["step"] in steps]


def with_responder(scene: Scene, **changes: str) -> dict[str, Any]:
    """A second identity, its login in files, with the rights to sessions and metadata and no others."""
    made: dict[str, Any] = scene.door("POST", "/orgs/acme/users", {
        "username": "responder@acme.example", "permissions": [
            "ApiEnabled", "ApiUserOnly", "ModifyMetadata", "ExternalClientAppAdmin", "ExternalClientAppViewer",
            "CustomizeApplication", "ManageUsers"]})  # fmt: skip
    app = scene.door("POST", "/orgs/acme/apps", {
        "name": "responder", "developer_name": "Rotator_Responder", "label": "Rotator Responder",
        "username": "responder@acme.example", "seed_live": False})  # fmt: skip
    scene.secret_file("responder-secret", app["client_secret"])
    login = f'{{ grant = "client_credentials", client_id = "{app["client_id"]}", secret_file = "responder-secret" }}'
    scene.configure(**changes)
    text = scene.config.read_text()
    scene.config.write_text(text.replace("[orgs.acme.facts]", f"responder = {login}\n[orgs.acme.facts]"))
    return made


def test_a_block_and_an_unblock_are_audited_and_change_nothing_twice(scene: Scene) -> None:
    """Each has an intent, an outcome, who, why and which ticket; said again, it only finds what is so."""
    for command, blocked in (("block", True), ("unblock", False)):
        for changed in (True, False):
            done = scene.json(command, "billing", *WHY)
            assert (done.code, done.told["blocked"], done.told["changed"]) == (0, blocked, changed), done.err
            assert enabled(scene) is not blocked
    assert rows(scene, "block", "unblock") == [
        ("block", "intent", None), ("block", "outcome", "ok"), ("block", "observe", "ok"),
        ("unblock", "intent", None), ("unblock", "outcome", "ok"), ("unblock", "observe", "ok")]  # fmt: skip
    told = [e for e in scene.events() if e["step"] in ("block", "unblock")]
    assert {(e["reason"], e["ticket"], bool(e["actor"])) for e in told} == {("key in a log", "INC-7", True)}


def test_all_three_work_while_vault_is_away(scene: Scene) -> None:
    """The responder's login comes from a file: no call goes to Vault, and the admin's login is not needed."""
    with_responder(scene)
    scene.door("PATCH", "/vault", {"sealed": True})
    before = len(scene.calls())
    for command in ("block", "unblock", "revoke"):
        done = scene.json(command, "billing", *WHY)
        assert done.code == 0, done.err
    assert {call["site"] for call in scene.calls()[before:]} == {"org:acme"}


def test_a_revoke_ends_every_token_of_the_app_and_leaves_the_pair(scene: Scene) -> None:
    """What was written down is ended, nothing is left, the pair logs in as before; again, there is nothing to do."""
    pair = scene.truth()["primary"]["key"]
    scene.json("rotate", "orders")
    scene.json("rotate", "billing", "--dry-run")  # logins of billing's own pair
    assert scene.truth()["primary"]["tokens"] + sum(one["tokens"] for one in scene.truth()["gone"]) > 0
    done = scene.json("revoke", "billing", *WHY)
    assert (done.code, done.told["left"]) == (0, 0), (done.out, done.err)
    assert done.told["ended"] > 0
    assert scene.truth()["primary"] == {**scene.truth()["primary"], "key": pair, "tokens": 0, "accepted": True}
    (intent,) = [e for e in scene.events() if (e["step"], e["phase"], e["rotation_id"]) == ("revoke", "intent", None)]
    assert intent["evidence"]["of"] >= done.told["ended"]
    assert scene.json("revoke", "billing", *WHY).told["ended"] == 0


def test_a_revoke_spares_users_unless_they_are_included(scene: Scene) -> None:
    """Somebody besides the run-as user holds tokens: refused, nothing ended; with --including-users they end too."""
    scene.json("rotate", "billing", "--dry-run")
    admin = scene.world["orgs"]["acme"]["admin"]["user_id"]
    run_as = scene.world["orgs"]["acme"]["apps"]["billing"]["user_id"]
    somebody = scene.world["orgs"]["acme"]["users"]["admin@acme.example"]
    scene.door("PATCH", "/orgs/acme/apps/billing", {"run_as": somebody})
    assert admin != run_as
    done = scene.json("revoke", "billing", *WHY)
    assert done.code == 1
    assert done.told["errors"][0]["code"] == "users_hold_tokens"
    assert scene.json("revoke", "billing", "--including-users", *WHY).told["left"] == 0


@pytest.mark.parametrize("words", [("--reason", " ", "--ticket", "INC-7"), ("--reason", "x", "--ticket", "")])
def test_without_reason_and_ticket_nothing_is_done(scene: Scene, words: tuple[str, ...]) -> None:
    """Exit 2, a row that says what was asked, and not a call to the org."""
    for command in ("block", "unblock", "revoke"):
        done = scene.json(command, "billing", *words)
        assert (done.code, done.told["errors"][0]["code"]) == (2, "ticket")
    assert scene.calls() == []
    whole = scene.json("history").told["events"]
    assert [e["evidence"]["command"] for e in whole if e["step"] == "refused_command"] == ["block", "unblock", "revoke"]


def test_a_responder_without_the_right_is_told_which(scene: Scene) -> None:
    """Exit 1, the refusal in the trail, the fix in words; nothing changed."""
    with_responder(scene)
    scene.door("PATCH", "/orgs/acme/users/responder@acme.example",
               {"permissions": ["ApiEnabled", "ExternalClientAppAdmin", "ExternalClientAppViewer"]})
    done = scene.json("block", "billing", *WHY)
    assert (done.code, done.told["errors"][0]["code"]) == (1, "metadata_permission")
    assert "permission set" in done.told["errors"][0]["fix"]
    assert enabled(scene)


@pytest.mark.parametrize("stages", ["yes", "no"])
def test_a_force_that_blocks_first_ends_proven_either_way(scene: Scene, stages: str) -> None:
    """Whether the org stages while blocked or not, and whether that is known or not: blocked before anything is staged
    where it can be, new pair live before the unblock, every claim proven, the app on again."""
    scene.door("POST", "/facts", {"stage_while_blocked": stages})
    scene.configure(facts=STATED)
    old = scene.truth()["primary"]["key"]
    done = scene.json("force", "billing", "--block-first", *WHY)
    assert (done.code, done.rotation["state"]) == (0, "done"), (done.out, done.err)
    assert enabled(scene)
    (gone,) = [pair for pair in scene.truth()["gone"] if pair["key"] == old]
    assert not gone["accepted"]
    assert not gone["tokens"]
    order = [(e["step"]) for e in scene.events() if e["phase"] == "outcome" and e["outcome"] == "ok"]
    kept = list(dict.fromkeys(step for step in order if step not in ("revoke", "fence")))
    assert kept[:2] == ["canary", "block"]
    assert kept.index("publish") < kept.index("promote") < kept.index("retire")
    last_unblock = len(order) - 1 - order[::-1].index("unblock")
    assert order.index("retire") < last_unblock
    assert order.count("block") == (1 if stages == "yes" else 2)
    learned = scene.run("--json", "force", "billing", "--block-first", "--reason", "again", "--ticket", "INC-8")
    assert learned.code == 0, learned.err
    blocks = [e for e in scene.events() if e["ticket"] == "INC-8" and (e["step"], e["phase"]) == ("block", "outcome")]
    assert len(blocks) == 1, "the second time it is known: staged first, blocked once"


def test_what_is_to_stay_blocked_waits_for_a_release(scene: Scene) -> None:
    """Exit 3 before publish, the live path untouched; nobody may unblock it meanwhile; a release finishes it."""
    scene.configure(facts=STATED)
    before = scene.truth()["primary"]["key"]
    held = scene.json("force", "billing", "--block-first", "--stay-blocked", *WHY)
    assert (held.code, held.rotation["reason"]) == (3, "stay_blocked"), (held.out, held.err)
    assert (enabled(scene), scene.truth()["primary"]["key"]) == (False, before)
    no = scene.json("unblock", "billing", *WHY)
    assert (no.code, no.told["errors"][0]["code"]) == (1, "block_first_open")
    assert not enabled(scene)
    done = scene.json("release", "billing")
    assert (done.code, done.rotation["state"]) == (0, "done"), (done.out, done.err)
    assert enabled(scene)


def test_an_old_pair_that_still_logs_in_is_shut_out_again(scene: Scene) -> None:
    """Beyond W after its deletion the old pair is accepted: blocked again, held, exit 3."""
    scene.configure(facts=STATED, propagation="0s")
    scene.door("POST", "/facts", {"delete_propagation": "1h"})
    scene.door("POST", "/shapes", {"propagation": "steady"})
    held = scene.json("force", "billing", "--block-first", *WHY)
    assert (held.code, held.rotation["reason"]) == (3, "old_pair_accepted"), (held.out, held.err)
    assert not enabled(scene)
    scene.door("POST", "/facts", {"delete_propagation": "0s"})
    done = scene.json("release", "billing")
    assert (done.code, done.rotation["state"], enabled(scene)) == (0, "done", True), (done.out, done.err)


def test_staying_blocked_needs_a_block(scene: Scene) -> None:
    """--stay-blocked alone is a usage error; nothing is done."""
    assert scene.json("force", "billing", "--stay-blocked", *WHY).code == 2
    assert scene.calls() == []


def swept(scene: Scene) -> dict[str, tuple[str, str]]:
    """One whole sweep of the org, in this process: what the look at the switch came to, by app."""
    clock = SystemClock(Stop())
    connections = Connections(load(scene.config, {}), clock, host="test", version="0")
    try:
        sweep = Sweep(connections, "acme", "test", connections.now())
        while not sweep.finished:
            sweep.turn()
        assert sweep.error is None, sweep.error
        found = connections.database.read(seen)
        return {app: (one.state.value, one.what) for app, told in found.items() for one in told if one.look == "switch"}
    finally:
        connections.close()


def test_a_block_of_ours_that_landed_late_is_undone_by_the_sweep_and_told(scene: Scene) -> None:
    """A forced rotation has ended, and the app is blocked all the same: on again, a drift, an intent and an outcome;
    the next sweep finds it as it should be."""
    scene.configure(facts=STATED)
    assert scene.json("force", "billing", "--block-first", *WHY).code == 0
    scene.door("PATCH", "/orgs/acme/apps/billing", {"oauth_plugin_enabled": False})
    assert swept(scene) == {"billing": ("drift", "late_block")}
    assert enabled(scene)
    undone = [(e["phase"], e["outcome"]) for e in scene.events()
              if e["step"] == "unblock" and e["rotation_id"] is None]
    assert undone == [("intent", None), ("outcome", "ok")]
    assert swept(scene) == {}


def test_the_sweep_leaves_what_persons_blocked(scene: Scene) -> None:
    """`rotator block`: as wanted. Somebody in Setup: told, and left."""
    scene.json("block", "billing", *WHY)
    scene.door("PATCH", "/orgs/acme/apps/orders", {"oauth_plugin_enabled": False})
    assert swept(scene) == {"orders": ("drift", "switch")}
    assert not enabled(scene)
    assert not enabled(scene, "orders")
