"""`rotator force`: the answer to a compromise, as a person runs it."""

from __future__ import annotations

import os
import pty
import subprocess
from datetime import datetime
from typing import Any

import pytest

from tests.acceptance.operator import Operator
from tests.acceptance.scene import Scene, environment, until

ORDER = ("--reason", "key in a log", "--ticket", "INC-7")
CLAIMS = dict.fromkeys(("refused", "tokens", "vault", "slot"), "proven")


def dead(scene: Scene, key: str, app: str = "billing") -> bool:
    """By the org's own record: neither the pair nor any token of it works."""
    (gone,) = [pair for pair in scene.truth(app)["gone"] if pair["key"] == key]
    return not gone["accepted"] and not gone["tokens"]


def rows(scene: Scene, step: str, phase: str) -> list[dict[str, Any]]:
    return [event for event in scene.events() if (event["step"], event["phase"]) == (step, phase)]


def test_a_force_ends_with_every_claim_proven_and_true(scene: Scene) -> None:
    """Exit 0; the overlap of an hour is not waited for; the old pair, its tokens and its Vault version are gone; every
    row says who, why and which ticket."""
    old = scene.truth()["primary"]["key"]
    done = scene.json("force", "billing", *ORDER)
    assert (done.code, done.rotation["state"], done.rotation["trigger"]) == (0, "done", "force"), done.err
    assert done.rotation["claims"] == CLAIMS
    assert dead(scene, old)
    assert scene.truth()["primary"]["fp"] == done.rotation["new_key_fp"]
    mine = [event for event in scene.events() if event["rotation_id"] == done.rotation["rotation_id"]]
    assert {(event["reason"], event["ticket"], event["trigger"]) for event in mine if event["trigger"]} == {
        ("key in a log", "INC-7", "force")}  # fmt: skip
    scene.settle()


def test_each_claim_has_a_row_of_its_own(scene: Scene) -> None:
    """The trail names the four claims one by one, each after what it rests on."""
    scene.json("force", "billing", *ORDER)
    claims = [event["evidence"]["claim"] for event in scene.events() if "claim" in event["evidence"]]
    assert claims == ["refused", "tokens", "vault", "slot"]


def test_evidence_stands_in_the_trail_before_anything_is_changed(scene: Scene) -> None:
    """Sessions, logins, tokens and changes were looked up; what could not be seen says so; no change came before."""
    scene.door("POST", "/facts", {"session_shared_between_logins": "no"})
    assert scene.json("rotate", "billing").code == 0
    scene.json("force", "billing", *ORDER)
    events = scene.events()
    kept = {event["evidence"]["evidence"]: event for event in events if "evidence" in event["evidence"]}
    assert set(kept) >= {"sessions", "logins", "tokens", "changes"}
    assert kept["logins"]["evidence"]["total"] > 0
    forced = kept["logins"]["rotation_id"]
    first_intent = min(e["seq"] for e in events if e["phase"] == "intent" and e["rotation_id"] == forced)
    assert max(event["seq"] for event in kept.values()) < first_intent


def test_what_will_be_ended_is_written_down_before_the_first_is_ended(scene: Scene) -> None:
    """Every grant that was ended stands in the `revoke` intent; it was committed before the first deletion arrived."""
    scene.json("force", "billing", *ORDER)
    intents = rows(scene, "revoke", "intent")
    assert len(intents) == 2, "at the first refusal, and again after W"
    assert all(event["evidence"]["to_end"] for event in intents)
    ends = [call for call in scene.calls() if call["purpose"] in ("end session", "end usage tokens", "revoke token")]
    assert len(ends) == sum(event["evidence"]["all"] for event in intents)
    assert ends[0]["at"] >= datetime.fromisoformat(intents[0]["ts"]).timestamp()


def test_the_rotators_own_session_is_spared_and_named(scene: Scene) -> None:
    """The app runs as the rotator's own user: its sessions are not ended, and nothing is said to be proven."""
    scene.door("PATCH", "/orgs/acme/apps/billing", {"run_as": scene.world["orgs"]["acme"]["admin"]["user_id"]})
    done = scene.json("force", "billing", *ORDER)
    assert (done.code, done.rotation["state"], done.rotation["reason"]) == (3, "unproven", "canary_alive"), done.err
    seen = [event["evidence"] for event in rows(scene, "revoke", "observe")]
    assert seen
    assert all(len(one["spared"]) == sum(one["shown"].values()) > 0 for one in seen)
    assert scene.json("check").code in (0, 1, 3), "the rotator is still logged in"


def test_users_who_hold_tokens_are_not_logged_out_unless_included(scene: Scene) -> None:
    """Another user's token is listed for the app: refused, nothing changed; `--including-users` ends it."""
    scene.door("POST", "/orgs/acme/users", {"username": "second@acme.example"})
    scene.door("POST", "/orgs/acme/apps/billing/logins", {"username": "second@acme.example"})
    before = scene.truth()["primary"]["key"]
    no = scene.json("force", "billing", *ORDER)
    assert (no.code, no.told["errors"][0]["code"]) == (1, "users_hold_tokens"), no.out
    assert "--including-users" in no.told["errors"][0]["fix"]
    assert (scene.truth()["primary"]["key"], scene.truth()["slot"]) == (before, [])
    yes = scene.json("force", "billing", *ORDER, "--including-users")
    assert (yes.code, yes.rotation["claims"]) == (0, CLAIMS), yes.err
    assert dead(scene, before)


def test_a_force_takes_over_an_overlap_and_kills_every_pair_of_it(scene: Scene) -> None:
    """A routine rotation in its overlap: the force is its child, and both of its pairs are dead and proven."""
    oldest = scene.truth()["primary"]["key"]
    parent = scene.json("rotate", "billing").rotation
    middle = scene.truth()["primary"]["key"]
    done = scene.json("force", "billing", *ORDER)
    assert (done.code, done.rotation["parent_id"]) == (0, parent["rotation_id"])
    assert dead(scene, oldest)
    assert dead(scene, middle)
    assert scene.json("status", "billing").told["apps"][0]["rotation"] is None


def test_a_force_takes_over_a_worker_that_hangs_in_a_call(scene: Scene) -> None:
    """A rotation hangs in its publish: the force asks for the way, takes the lease after a while, and ends proven; when
    the call goes on at last it hits nothing, and the other one stops."""
    live = {"method": "POST", "path": "data/salesforce/acme/billing"}
    scene.door("POST", "/pause", {"when": "before", "match": live, "nth": 1})
    with scene.started("--json", "rotate", "billing") as routine:
        until(lambda: scene.door("GET", "/paused")[0]["state"] == "paused")
        done = scene.json("force", "billing", *ORDER)
        scene.door("POST", "/resume", {})
        routine.communicate(timeout=30)
    assert (done.code, done.rotation["claims"]) == (0, CLAIMS), done.err
    assert done.rotation["parent_id"]
    assert scene.truth()["primary"]["fp"] == done.rotation["new_key_fp"]
    assert any(event["step"] == "lease" for event in scene.events())
    scene.settle()


def test_the_same_order_resumes_and_another_is_a_new_decision(scene: Scene) -> None:
    """Killed in the midst, the same command goes on with the same rotation; another ticket supersedes it."""
    scene.configure(propagation="5m")
    first = scene.json("force", "billing", *ORDER, "--timeout", "3s")
    assert (first.code, first.rotation["state"]) == (75, "running")
    again = scene.json("force", "billing", *ORDER, "--timeout", "1s")
    assert again.rotation["rotation_id"] == first.rotation["rotation_id"]
    scene.configure()
    other = scene.json("force", "billing", "--reason", "once more", "--ticket", "INC-8")
    assert (other.code, other.rotation["parent_id"]) == (0, first.rotation["rotation_id"])
    assert other.rotation["claims"] == CLAIMS
    ended = [e for e in scene.events() if e["rotation_id"] == first.rotation["rotation_id"]][-1]
    assert ended["evidence"]["set"]["reason"] == "superseded"


def test_tokens_that_live_on_make_it_unproven(scene: Scene) -> None:
    """No lever ends a token here: exit 3, `unproven`, what is missing and what to do; `run --once` goes on proving."""
    scene.door("POST", "/facts", {"lever_usage_ends": "no", "lever_deletetoken_ends": "no",
                                  "lever_authsession_ends": "no"})  # fmt: skip
    scene.configure(orders="enabled = false")
    done = scene.json("force", "billing", *ORDER)
    told = done.rotation
    assert (done.code, told["state"], told["reason"]) == (3, "unproven", "canary_alive"), done.err
    assert told["claims"]["tokens"] == "unknown"
    assert told["fix"]
    assert told["next_at"]
    assert scene.json("run", "--once").code == 3


def test_a_pause_does_not_hold_a_force(scene: Scene) -> None:
    """Everything is paused: the force goes its way without a word of it."""
    scene.run("pause", "--all", "--reason", "change freeze")
    assert scene.json("force", "billing", *ORDER).code == 0


@pytest.mark.parametrize(("words", "code"), [
    (("billing", "--reason", "x"), "usage"),
    (("billing", "--ticket", "INC-1"), "usage"),
    (("billing", "--reason", " ", "--ticket", "INC-1"), "ticket"),
    (("billing", "--reason", "x", "--ticket", "CHG-1"), "ticket"),
    (("billing", "--all", "--reason", "x", "--ticket", "INC-1"), "usage"),
    (("--reason", "x", "--ticket", "INC-1"), "usage"),
    (("--org", "nope", "--reason", "x", "--ticket", "INC-1"), "unknown_org"),
    (("--all", "--reason", "x", "--ticket", "INC-1"), "not_confirmed"),
])  # fmt: skip
def test_an_order_that_lacks_something_is_refused(scene: Scene, words: tuple[str, ...], code: str) -> None:
    """Exit 2, one clear error, nothing asked of the org."""
    text = scene.config.read_text()
    scene.config.write_text(text + '\n[approval]\nticket_pattern = "INC-[0-9]+"\n')
    done = scene.json("force", *words)
    assert (done.code, done.told["errors"][0]["code"]) == (2, code), done.out
    assert scene.calls() == []


def test_many_are_done_side_by_side_and_each_app_is_accounted_for(scene: Scene) -> None:
    """--all: a disabled app is forced too, a classic one waits for a person and makes it exit 3; apps that run as one
    user are named first."""
    user = scene.world["orgs"]["acme"]["apps"]["billing"]["user_id"]
    scene.door("PATCH", "/orgs/acme/apps/orders", {"run_as": user})
    scene.configure(billing="enabled = false")
    Operator(scene)
    done = scene.json("force", "--all", "--yes", *ORDER)
    told = done.told
    states = {r["app"]: r["state"] for r in told["rotations"]}
    assert (done.code, states) == (3, {"billing": "done", "orders": "done", "legacy": "held"})
    assert told["skipped"] == []
    assert [one["apps"] for one in told["shared"]] == [["billing", "orders"]]
    assert "billing, orders run as one user" in done.err


def test_the_number_of_apps_is_asked_of_a_person(scene: Scene) -> None:
    """On a terminal --all wants the number typed; a wrong one does nothing."""
    main, side = pty.openpty()
    command = scene.command("force", "--all", *ORDER)
    with subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=environment()) as process:
        os.close(side)
        os.write(main, b"3\n")
        said = b""
        while b"not 2" not in said:
            said += os.read(main, 4096)
        assert process.wait(20) == 2
    os.close(main)
    assert b"forces 2 apps" in said
    assert scene.calls() == []


def test_more_tokens_than_a_query_shows_are_ended_all_the_same(scene: Scene) -> None:
    """2,600 OauthToken rows, of which a query gives 2,500: listed in part, ended, listed again, until none is left."""
    old = scene.truth()["primary"]["key"]
    scene.door("POST", "/facts", {"tokens_listed_usage": "no", "tokens_listed_authsession": "no"})
    scene.door("POST", "/orgs/acme/apps/billing/logins", {"count": 2600})
    done = scene.json("force", "billing", *ORDER)
    assert (done.code, done.rotation["claims"]) == (0, CLAIMS), done.err
    assert dead(scene, old)
    intents = rows(scene, "revoke", "intent")
    assert sum(event["evidence"]["all"] for event in intents) > 2600
    assert max(len(event["evidence"].get("to_end", ())) for event in scene.events() if event["step"] == "revoke") == 100
