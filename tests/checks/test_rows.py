"""Each row of the list of checks can be broken, and then says so, at its level and with its fix."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rotator.checks.finding import Finding
from rotator.checks.policy import app_14
from rotator.checks.registry import CLASSIC, EVERY, OWN
from tests.acceptance.scene import Scene
from tests.checks.breaks import BREAKS, FIXES
from tests.checks.looking import app_scene_of, finding_of, level, levels, looked, opened

# Rows whose break is no act of the world; a test of its own stands below.
APART = {("APP-14", "fail"), ("ORG-8", "warn"), ("ADM-5", "warn"), ("ADM-6", "fail")}  # ADM-6: tests/own


def test_every_row_has_a_break_for_each_of_its_levels() -> None:
    """What the registry says can fail or warn is broken below, and nothing else is."""
    declared = {(row.id, name) for row in EVERY for name, said in (("fail", row.fails), ("warn", row.warns)) if said}
    assert declared == set(BREAKS) | APART


def test_nothing_fails_in_a_world_that_is_ready(scene: Scene) -> None:
    """Every row is told once, in a world without a fault; nothing fails and nothing is unknown."""
    told = levels(looked(scene))
    assert set(told) == {row.id for row in EVERY} - {row.id for row in CLASSIC} - {row.id for row in OWN}
    assert {id_ for id_, found in told.items() if found in ("fail", "unknown")} == set()
    assert {id_ for id_, found in told.items() if found == "warn"} == {"AUD-1", "VLT-1", "VLT-2"}


@pytest.mark.parametrize(("row", "wanted"), BREAKS)
def test_a_broken_row_says_so_with_its_fix(scene: Scene, row: str, wanted: str) -> None:
    """The one thing is broken: the row has that level, says what it found, and its fix names what to do."""
    BREAKS[row, wanted](scene)
    found = finding_of(scene, row)
    assert (level(found), bool(found.found)) == (wanted, True), found
    assert found.fix
    assert FIXES.get(f"{row} {wanted}", FIXES[row]) in found.fix


def test_an_overlap_must_fit(scene: Scene) -> None:
    """APP-14: longer than 29 days fails, and so does one that is not shorter than the interval."""
    with opened(scene) as connections:
        app = app_scene_of(connections)
        long = app_14(replace(app, overlap=timedelta(days=30), interval=timedelta(days=60)))
        wide = app_14(replace(app, overlap=timedelta(days=2), interval=timedelta(days=2)))
    assert [level(one) for one in (long, wide, app_14(app))] == ["fail", "fail", "pass"]
    assert "29d" in long.fix


@pytest.mark.parametrize(
    ("stated", "age", "wanted"), [("1h", 0, "warn"), ("5m", 0, "pass"), ("unknown", 121, "warn"), ("5m", 119, "pass")]
)
def test_facts_that_differ_or_are_old_are_told(scene: Scene, stated: str, age: int, wanted: str) -> None:
    """ORG-8: seen 5m and stated 1h warns and names the fact; the same, no; seen 121 days ago warns, 119 days not."""
    scene.configure(facts=f'delete_propagation = "{stated}"')
    found = finding_of(scene, "ORG-8", seen={"delete_propagation": "5m"}, age=timedelta(days=age))
    assert level(found) == wanted
    assert wanted == "pass" or ("delete_propagation" in found.found and "calibrate" in found.fix)


@pytest.mark.parametrize(("days", "wanted"), [(91, "warn"), (89, "pass")])
def test_the_age_of_the_own_pair_is_told(scene: Scene, days: int, wanted: str) -> None:
    """ADM-5: the pair lies in Vault since now; 91 days later it is too old, 89 days later not."""
    found = finding_of(scene, "ADM-5", age=timedelta(days=days))
    assert level(found) == wanted
    assert wanted == "pass" or "spare" in found.fix


def test_a_secret_in_the_environment_is_told_by_its_name_alone(scene: Scene) -> None:
    """HST-1 names the variable and not its value; a drop-in is the fix."""
    found = finding_of(scene, "HST-1", env={"VAULT_TOKEN": "hvs.verysecret", "PATH": "/bin"})
    assert level(found) == "fail"
    assert "VAULT_TOKEN" in found.found
    assert "verysecret" not in found.found + found.fix
    assert "LoadCredential" in found.fix


def test_what_cannot_be_seen_is_unknown_and_never_a_pass(scene: Scene) -> None:
    """The rotator sees neither policies nor logins, and the Vault is sealed: no row that needs them passes."""
    scene.door("POST", "/faults", {"kind": "status", "match": {"path": "/query"}, "args": {"status": 403}})
    scene.door("PATCH", "/vault", {"sealed": True})
    told = levels(looked(scene))
    elsewhere = {*(row.id for row in EVERY if row.id[:3] in ("DB-", "AUD", "HST", "CLS")), "ORG-1", "ORG-4", "APP-14",
                 "ADM-6"}  # fmt: skip
    needs = {row.id for row in EVERY} - elsewhere  # they ask neither
    assert {id_ for id_ in needs if told[id_] == "pass"} == set()
    assert told["ORG-1"] == "pass"


def test_a_login_beyond_the_budget_is_not_made(scene: Scene) -> None:
    """The login budget is used up: what a login tells is unknown, and no token request was made with the pair."""
    written = scene.config.read_text()
    scene.config.write_text(written + "\n[limits]\nlogins_per_hour = 1\n")
    with opened(scene) as connections:
        app = app_scene_of(connections)
        app.ask(app.consumer)
        found: Finding = finding_of(scene, "APP-6", connections=connections)
    assert (level(found), "budget" in found.found) == ("unknown", True)
