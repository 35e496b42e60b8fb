"""The rotator's own pairs: rotated by the other identity, refused as an ordinary target, seen by status."""

from __future__ import annotations

import pytest

from rotator.domain.words import State
from tests.acceptance.scene import until
from tests.daemon.fleet import listening
from tests.own.place import SPARE, TwoIdentities

BOTH = ("acme/admin", "acme/spare")


@pytest.mark.parametrize("app", BOTH)
def test_each_own_pair_is_rotated_by_the_other_identity_and_proven(place: TwoIdentities, app: str) -> None:
    """Asked for by name; it is the other identity that logs in for it, and no reader ever got a dead pair."""
    used, other = ("spare", "rotator") if app == "acme/admin" else ("rotator", "spare")
    assert place.truth(used)["primary"]["tokens"] == 0
    done = place.json("rotate", app)
    assert done.code == 0, done.err
    assert done.rotation["app"] == app
    assert set(done.rotation["claims"].values()) == {"proven"}
    place.settle()
    assert place.truth(used)["primary"]["tokens"] > 0
    assert place.served(other) == place.truth(other)["primary"]["key"]


def test_running_connections_pick_the_new_pair_up(place: TwoIdentities) -> None:
    """A process that logged in with the old pair goes on when pair, token and session are gone."""
    with place.process() as running:
        org = running.org("acme")
        assert org.app_id("Billing_Sync")
        before = org.own_key
        assert place.finished("acme/admin").state is State.DONE
        assert org.app_id("Billing_Sync")
        assert before != org.own_key == place.served("rotator")
        assert place.rotate(running, "orders")[0].error is None
    place.settle()


def test_status_shows_the_age_of_the_own_pairs(place: TwoIdentities) -> None:
    """As that of every app; before its first rotation it is not known."""
    place.finished("acme/admin")
    told = {one["app"]: one for one in place.json("status").told["apps"]}
    assert told["acme/admin"]["secret_age_s"] >= 0
    assert told["acme/admin"]["next_due_at"]
    assert told["acme/spare"]["secret_age_s"] is None
    assert "acme/admin" in place.run("status").out


def test_reports_know_the_own_pairs(place: TwoIdentities) -> None:
    """Whoever asks what nobody rotates is not told of them, and their ages are among the others."""
    rows = place.json("report", "completeness").told["rows"]
    found = {row["developer_name"]: (row.get("app"), row["verdict"]) for row in rows if row.get("developer_name")}
    assert found["Rotator_Admin"] == ("acme/admin", "configured")
    assert found["Rotator_Spare"] == ("acme/spare", "configured")
    assert {*BOTH} <= {row["app"] for row in place.json("report", "ages").told["rows"]}


def test_what_is_due_includes_the_own_pairs_one_after_the_other(place: TwoIdentities) -> None:
    """`run --once` begins one of them, and the other once the first has ended."""
    place.overlap = "1h"
    place.with_spare(own=', schedule = { every = "1d", jitter = "0s" }')
    first = place.json("run", "--once").told
    assert {row["app"] for row in first["rotations"]} == {"billing", "orders", "acme/admin"}
    waiting = {one["app"]: one["reason"] for one in first["skipped"]}
    assert "acme/admin" in waiting["acme/spare"]


def test_the_second_is_refused_by_hand_while_the_first_is_open(place: TwoIdentities) -> None:
    """The pair that rotates is not itself rotated meanwhile."""
    place.overlap = "1h"
    place.with_spare()
    assert place.json("rotate", "acme/admin").code == 0
    refused = place.json("rotate", "acme/spare")
    assert refused.code == 1
    assert refused.told["errors"][0]["code"] == "other_open"


def test_the_own_app_is_refused_as_an_ordinary_target(place: TwoIdentities) -> None:
    """Whatever it is called, and although it was given a path of its own; nothing is changed, a force included."""
    for developer_name, name in (("Rotator_Admin", "one"), ("Rotator_Spare", "two")):
        table = f'[apps.{name}]\norg = "acme"\napp = "{developer_name}"\nvault_path = "elsewhere/{name}"\n'
        place.config.write_text(place.config.read_text() + table)
        before = pairs(place)
        refused = place.json("rotate", name)
        assert (refused.code, refused.told["errors"][0]["code"]) == (1, "own_consumer")
        assert "acme/admin" in refused.told["errors"][0]["fix"]
        forced = place.json("force", name, "--reason", "leak", "--ticket", "INC-1", "--yes")
        assert (forced.code, forced.told["errors"][0]["code"]) == (1, "own_consumer")
        assert pairs(place) == before


def pairs(place: TwoIdentities) -> list[tuple[str, object]]:
    """The primary key and the slot of both own apps."""
    both = place.truth("rotator"), place.truth("spare")
    return [(one["primary"]["key"], one["slot"]) for one in both]


def test_without_a_spare_there_is_no_own_pair_to_rotate(place: TwoIdentities) -> None:
    """A usage error that says what is missing."""
    place.config.write_text(place.config.read_text().replace(SPARE, ""))
    refused = place.json("rotate", "acme/admin")
    assert (refused.code, refused.told["errors"][0]["code"]) == (2, "no_spare")
    assert "spare" in refused.told["errors"][0]["fix"]


def test_a_forced_own_pair_is_dead_at_once(place: TwoIdentities) -> None:
    """The answer to a leak of the rotator's own pair; old versions of its path are destroyed."""
    done = place.json("force", "acme/admin", "--reason", "leaked", "--ticket", "INC-7", "--yes")
    assert done.code == 0, done.out
    assert set(done.rotation["claims"].values()) == {"proven"}
    place.settle()


def test_the_daemon_rotates_both_one_after_the_other(place: TwoIdentities) -> None:
    """At first sight, as every app that it never rotated; never both at once, and through the socket both by name."""
    place.with_spare(more="\n", own=', schedule = { every = "30d", jitter = "0s" }')
    text = place.config.read_text().replace("[timing]\n", '[timing]\ntick = "200ms"\n')
    text = text.replace('org = "acme"\n', 'org = "acme"\nenabled = false\n')  # nobody else logs in as these two
    place.config.write_text(f'{text}[control]\nsocket = "{place.folder}/s"\n')
    with listening(place.command("run"), place.folder, "own") as running:
        running.ready()
        until(lambda: {*BOTH} <= running.ended(), 90)
        asked = place.json("pause", "acme/admin", "--reason", "holidays")
        assert (asked.code, running.stop()) == (0, 0)
    events = [event for app in BOTH for event in place.events(app) if event["rotation_id"]]
    spans = sorted((min(one["ts"] for one in events if one["app"] == app), max(one["ts"] for one in events if one["app"]
                    == app and one["step"] == "close")) for app in BOTH)  # fmt: skip
    assert spans[0][1] < spans[1][0], "both were at work at once"
    place.settle()


def test_an_own_pair_that_somebody_rotated_is_adopted_by_the_other_identity(place: TwoIdentities) -> None:
    """Whoever replaces the pair of `admin` shuts the rotator out; the spare takes the new one into Vault, and it logs
    in again."""
    place.finished("acme/admin")
    place.stranger("replace_primary", "rotator")
    assert place.run("discover", "acme").code == 1
    done = place.json("adopt", "acme/admin", "--yes")
    assert done.code == 0, done.out
    assert place.served("rotator") == place.truth("rotator")["primary"]["key"]
    assert place.run("discover", "acme").code == 0
