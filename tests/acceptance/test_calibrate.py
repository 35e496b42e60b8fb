"""`rotator calibrate`, as a person runs it."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess

import pytest

from rotator.adapters.signing import PublicKey
from rotator.domain.chain import canonical
from rotator.domain.facts import FACTS
from tests.acceptance.conftest import public
from tests.acceptance.scene import Json, Scene, environment, until
from tests.acceptance.test_silence import named, watched
from tests.canary.silence import assert_silent

REAL = {"staged_pair_accepted": "no", "created_by_given": "yes", "tokens_listed_usage": "no",
        "tokens_die_with_pair": "yes", "stage_while_blocked": "yes", "classic_has_staged_api": "yes"}  # fmt: skip


@pytest.fixture
def app(scene: Scene) -> Json:
    """A throwaway app, a classic app beside it, and facts that are not the usual ones."""
    scene.door("POST", "/facts", REAL)
    scene.door("POST", "/orgs/acme/apps", {"name": "legacy", "kind": "connected_app", "seed_live": False})
    made = scene.door("POST", "/orgs/acme/apps", {"name": "spare", "developer_name": "Throwaway", "seed_live": False})
    return dict(made)


def known(scene: Scene) -> dict[str, str]:
    """What rotations read of the org."""
    with sqlite3.connect(scene.database) as database:
        return dict(database.execute("SELECT fact, value FROM org_facts").fetchall())


def test_every_fact_is_found_signed_and_read_by_rotations_and_check(signed: Scene, app: Json) -> None:
    """The profile names every fact as it is, its signature holds with the public key alone, the facts stand where
    rotations read them, `check` agrees, and another release of Salesforce makes it warn; `status` says
    when they are too old."""
    done = signed.json("calibrate", "acme", "--app", "Throwaway", "--yes")
    assert done.code == 0, done.err
    real, dark = signed.door("GET", "/facts"), signed.door("GET", "/unobservable")
    told = {name: value for name, value in done.told["facts"].items() if name not in dark}
    assert told == {name: real[name] for name in told}
    assert set(done.told["facts"]) == set(FACTS)
    assert known(signed) == told
    assert "refused" in done.told["second_stage"] or "slot_taken" in done.told["second_stage"]
    key = PublicKey.from_pem(public(signed).read_bytes())
    (row,) = [one for one in signed.events("Throwaway") if one["step"] == "calibrate" and one["phase"] == "decision"]
    assert key.made(row["evidence"]["signature"], canonical(row["evidence"]["profile"]).encode())
    assert key.id == done.told["key_id"]
    assert org_8(signed)["ok"] is True
    signed.door("PATCH", "/orgs/acme", {"newest_version": 67})
    assert "release" in org_8(signed)["found"]
    assert "may have changed" not in signed.run("status").out
    with sqlite3.connect(signed.database) as database:
        database.execute("UPDATE org_facts SET seen_at = '2025-' || substr(seen_at, 6)")
    assert "what is known of acme is of 2025" in signed.run("status").out


def org_8(scene: Scene) -> Json:
    """What `check` says of the org's facts."""
    (found,) = [one for one in scene.json("check", "billing").told["checks"] if one["id"] == "ORG-8"]
    return dict(found)


def test_each_change_has_an_intent_before_it_and_an_outcome_behind_it(scene: Scene, app: Json) -> None:
    """In the trail; and no other app was changed, whose live path is served throughout."""
    before = scene.truth("billing")
    assert scene.json("calibrate", "acme", "--app", app["app_id"], "--yes").code == 0
    rows = [(one["evidence"].get("act"), one["phase"]) for one in scene.events(app["app_id"])]
    for act in ("stage", "promote", "delete", "block", "unblock", "end"):
        places = [n for n, row in enumerate(rows) if row == (act, "intent")]
        assert places, act
        assert all((act, "outcome") in rows[place + 1 :] for place in places), act
    changes = [one for one in scene.calls() if one["method"] in ("PATCH", "DELETE") and "/staged/" in one["path"]]
    assert changes
    assert all(app["app_id"][:15] in one["path"] for one in changes)
    assert scene.truth("billing") == before
    scene.settle()


def test_an_app_of_the_configuration_must_be_a_canary(scene: Scene) -> None:
    """billing has readers: refused. As a canary it is calibrated, its live path follows, and it rotates afterwards;
    while that rotation is open, it is refused again."""
    refused = scene.json("calibrate", "acme", "--app", "billing", "--yes")
    assert (refused.code, refused.told["errors"][0]["code"]) == (1, "app_in_use")
    assert not [one for one in scene.calls() if one["method"] == "POST" and "/staged" in one["path"]]
    scene.configure(billing="canary = true")
    done = scene.json("calibrate", "acme", "--app", "billing", "--yes")
    assert done.code == 0, done.err
    assert scene.json("rotate", "billing").rotation["state"] == "overlap"
    refused = scene.json("calibrate", "acme", "--app", "billing", "--yes")
    assert (refused.code, refused.told["errors"][0]["code"]) == (1, "rotation_open")


@pytest.mark.parametrize(("words", "code", "error"), [
    (("acmee", "--app", "x"), 2, "unknown_org"), (("acme", "--app", "Nobody", "--yes"), 2, "config"),
    (("acme", "--app", "Rotator_Admin", "--yes"), 1, "app_in_use"),
    (("acme", "--app", "Throwaway"), 2, "not_confirmed"),
])  # fmt: skip
def test_what_cannot_be_is_one_clear_error(scene: Scene, app: Json, words: tuple[str, ...], code: int,
                                           error: str) -> None:
    """An unknown org or app, the rotator's own app, nobody to ask; nothing was changed."""
    done = scene.json("calibrate", *words)
    assert (done.code, done.told["errors"][0]["code"]) == (code, error)
    assert done.told["errors"][0]["fix"]
    assert not [one for one in scene.calls() if "/staged" in one["path"]]


def test_an_app_that_runs_as_the_rotators_own_user_is_refused(scene: Scene, app: Json) -> None:
    """Its sessions would be ended with those of the app."""
    own = scene.world["orgs"]["acme"]["admin"]["user_id"]
    scene.door("PATCH", "/orgs/acme/apps/spare", {"run_as": own})
    done = scene.json("calibrate", "acme", "--app", "Throwaway", "--yes")
    assert (done.code, done.told["errors"][0]["code"]) == (1, "app_in_use")
    assert "own user" in done.told["errors"][0]["message"]


def test_a_person_at_a_terminal_is_asked_for_the_name(scene: Scene, app: Json) -> None:
    """Another word than the app's name, and nothing is done."""
    ours, theirs = pty.openpty()
    command = scene.command("calibrate", "acme", "--app", "Throwaway")
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment())
    os.close(theirs)
    os.write(ours, b"yes\n")
    _, told = process.communicate(timeout=30)
    os.close(ours)
    assert process.returncode == 2
    assert b"its present one dies" in told
    assert b"not confirmed" in told
    assert not [one for one in scene.calls() if "/staged" in one["path"]]


def test_people_read_facts_and_what_they_mean_and_no_secret(scene: Scene, app: Json) -> None:
    """Words on standard output, what is being done on standard error, a table that the configuration takes; and at the
    loudest log level no secret in any of it, nor in the database."""
    file = scene.folder / "facts.toml"
    sinks = watched(scene, "calibrate", "acme", "--app", "Throwaway", "--yes", "--out", str(file))
    out, err = ((scene.folder / name).read_text() for name in ("out.txt", "err.txt"))
    assert "force will be able to prove tokens dead: yes" in out
    assert "is it accepted?" in err
    secrets = [text.rpartition("!")[2] for text in scene.secrets()]  # a token begins with the org's id, which is public
    assert_silent({**sinks, "database": scene.database, "file": file}, named(secrets[::5]))  # of some two hundred
    stated = "\n".join(file.read_text().split("\n")[2:])
    assert 'staged_pair_accepted = "no"' in stated
    scene.configure(facts=stated)
    assert scene.run("config", "check").code == 0


def test_killed_half_way_it_cleans_up_at_the_next_call(scene: Scene, app: Json) -> None:
    """SIGKILL while a pair stands in the slot: run again, it finds everything and leaves nothing."""
    with scene.started("calibrate", "acme", "--app", "Throwaway", "--yes") as process:
        until(lambda: bool(scene.truth("spare")["slot"]))
        process.kill()
        process.communicate(timeout=20)
    done = scene.json("calibrate", "acme", "--app", "Throwaway", "--yes")
    assert (done.code, done.told.get("missing")) == (0, []), done.out
    assert scene.truth("spare")["slot"] == []
