"""Commands that look: status, history, check, audit verify, db, config, completion, help."""

from __future__ import annotations

import json
import sqlite3
import subprocess

import pytest

from rotator.checks.registry import CLASSIC, EVERY, OWN
from tests.acceptance.scene import Scene

COLUMNS = {
    "seq", "event_id", "ts", "rotation_id", "trigger", "actor", "origin", "approver", "break_glass", "reason", "ticket",
    "org", "app", "step", "attempt", "phase", "outcome", "error", "http_status", "remote_request_id", "old_key_fp",
    "new_key_fp", "vault_path", "vault_version", "duration_ms", "evidence", "host", "version", "config_hash",
    "prev_hash", "hash",
}  # fmt: skip
ROWS = {row.id for row in EVERY if row not in (*CLASSIC, *OWN)}  # an ordinary app
STATUS = {
    "app", "org", "kind", "paused", "secret_age_s", "last_rotated_at", "next_due_at", "overdue", "why", "rotation",
}  # fmt: skip


def test_status_needs_nobody_but_the_database(scene: Scene) -> None:
    """Exit 0 and the shape of the contract, on an empty database that is made on first use; no call outside."""
    done = scene.json("status")
    assert (done.code, scene.calls()) == (0, [])
    assert done.told.keys() >= {"daemon", "now", "apps"}
    billing, orders = done.told["apps"]
    assert billing.keys() >= STATUS
    assert (billing["app"], billing["why"], orders["rotation"]) == ("billing", "never rotated", None)
    assert scene.database.stat().st_mode & 0o077 == 0


def test_history_tells_every_column_in_order(scene: Scene) -> None:
    """All columns of the contract, ascending `seq`; `--since` takes a duration and a time; reading leaves a row."""
    scene.json("rotate", "billing", "--dry-run")
    events = scene.json("history").told["events"]
    assert set(events[0]) == COLUMNS
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert scene.json("history", "--since", "1h").told["events"][:len(events)] == events
    middle = events[3]["ts"]
    assert scene.json("history", "--since", middle).told["events"][0]["seq"] == 4
    assert scene.json("history", "--since", "2099-01-01").told["events"] == []
    assert "read" in [e["step"] for e in scene.json("history").told["events"]]
    assert scene.json("history", "--since", "yesterday").code == 2


def test_audit_verify_finds_a_changed_row(scene: Scene) -> None:
    """Whole: exit 0. One letter of row 3 changed behind the triggers' back: exit 1, and its number."""
    scene.json("rotate", "billing", "--dry-run")
    whole = scene.json("audit", "verify")
    assert (whole.code, whole.told["ok"], whole.told["first_bad_seq"]) == (0, True, None)
    with sqlite3.connect(scene.database) as database:
        triggers = [row[0] for row in database.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit_events SET actor = 'mallory' WHERE seq = 3")
        for trigger in triggers:
            database.execute(trigger)
    database.close()
    broken = scene.json("audit", "verify")
    assert (broken.code, broken.told["ok"], broken.told["first_bad_seq"]) == (1, False, 3)


def found(scene: Scene, *words: str) -> dict[str, bool | None]:
    """What `check` says, by id; warnings count as fine."""
    told = scene.json("check", *words).told["checks"]
    return {one["id"]: True if one.get("level") == "warn" else one["ok"] for one in told}


def test_check_passes_in_a_world_that_is_ready(scene: Scene) -> None:
    """Every row of this issue's list, each fine, with the members of the contract; exit 0; nothing is changed."""
    done = scene.json("check", "billing")
    assert done.code == 0, done.out
    assert {one["id"] for one in done.told["checks"]} == ROWS
    assert all(one.keys() >= {"app", "id", "ok", "found", "fix"} for one in done.told["checks"])
    writes = [call for call in scene.calls() if call["effect"] not in ("", "login", "vault login")]
    assert [call["purpose"] for call in writes if call["purpose"] not in ("token", "vault login", "vault logout")] == []


@pytest.mark.parametrize(
    ("row", "path", "change"),
    [
        ("APP-5", "/orgs/acme/apps/billing", {"flow_in_policies": False}),
        ("APP-5", "/orgs/acme/apps/billing", {"flow_in_settings": False}),
        ("APP-6", "/orgs/acme/apps/billing", {"oauth_plugin_enabled": False}),
        ("ORG-5", "/orgs/acme", {"rest_secret_access": False}),
        ("ADM-1", "/orgs/acme/users/rotator@acme.example", {"permissions": ["ApiEnabled", "ExternalClientAppDeveloper",
                                                                            "CustomizeApplication", "ManageUsers"]}),
        ("ADM-2", "/orgs/acme/users/rotator@acme.example", {"permissions": [
            "ApiEnabled", "ExternalClientAppDeveloper", "ViewClientSecret", "CustomizeApplication"]}),
        ("ORG-3", "/orgs/acme/users/rotator@acme.example", {"active": False}),
    ],
)  # fmt: skip
def test_check_names_what_is_wrong(scene: Scene, row: str, path: str, change: dict[str, object]) -> None:
    """One thing is wrong in the org: the check of that thing fails with a fix, exit 1."""
    scene.door("PATCH", path, change)
    done = scene.json("check", "billing")
    wrong = [one for one in done.told["checks"] if one["ok"] is False and one.get("level") != "warn"]
    assert done.code == 1, done.out
    assert row in {one["id"] for one in wrong}
    assert all(one["fix"] for one in wrong)


@pytest.mark.parametrize(("row", "act"), [("APP-3", "write_live"), ("APP-4", "stage"), ("APP-6", "replace_primary")])
def test_check_sees_what_strangers_did(scene: Scene, row: str, act: str) -> None:
    """A foreign live path, a foreign staged pair, a primary replaced: found."""
    scene.stranger(act)
    assert found(scene, "billing")[row] is False


def test_check_does_not_know_what_it_cannot_see(scene: Scene) -> None:
    """The Vault is sealed: what needs it is unknown, never a pass; nothing false: exit 3."""
    scene.door("PATCH", "/vault", {"sealed": True})
    done = scene.json("check", "billing")
    states = {one["id"]: one["ok"] for one in done.told["checks"]}
    assert (done.code, states["APP-3"], states["VLT-1"], states["VLT-3"], states["DB-1"]) == (3, None, None, None, True)


def test_check_finds_a_name_that_the_org_does_not_know(scene: Scene) -> None:
    """A misspelt developer name: APP-1 fails, what depends on it is unknown or failed, never a pass."""
    scene.config.write_text(scene.config.read_text().replace("Billing_Sync", "Billing_Snyc"))
    states = found(scene, "billing")
    assert states["APP-1"] is False
    assert [row for row in ("APP-2", "APP-4", "APP-5") if states[row] is True] == []


def test_the_database_is_made_once_and_an_older_or_newer_one_refused(scene: Scene) -> None:
    """`db check` on nothing: exit 2 naming `db upgrade`; `db upgrade` makes it, twice is once; another revision is
    refused by every command, and left as it is."""
    empty = scene.json("db", "check")
    assert (empty.code, "db upgrade" in empty.told["errors"][0]["fix"]) == (2, True)
    assert [scene.json("db", word).code for word in ("upgrade", "upgrade", "check")] == [0, 0, 0]
    with sqlite3.connect(scene.database) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in (("db", "check"), ("rotate", "billing"), ("status",), ("run", "--once"), ("db", "upgrade")):
        done = scene.json(*command)
        assert (done.code, "newer" in done.told["errors"][0]["message"]) == (2, True), command
    assert scene.calls() == []


def test_a_wrong_configuration_is_told_whole(scene: Scene) -> None:
    """Two mistakes: both with file, line, key and fix, exit 2, as words and as JSON."""
    text = scene.config.read_text().replace("state_dir", "state_dri")
    scene.config.write_text(text.replace('org = "acme"\napp = "Order', 'org = "acm"\napp = "Order'))
    done = scene.json("config", "check")
    assert (done.code, done.told["ok"], len(done.told["errors"])) == (2, False, 2)
    assert all(str(scene.config) in one["where"] and one["fix"] for one in done.told["errors"])
    words = scene.run("rotate", "billing")
    assert (words.code, "state_dri" in words.err, "acm" in words.err) == (2, True, True)


def test_config_check_and_schema_call_nobody(scene: Scene) -> None:
    """A good file passes without the secret files; the schema is a JSON schema that names the sections."""
    (scene.folder / "vault-secret-id").unlink()
    assert scene.json("config", "check").told["ok"] is True
    assert "apps" in json.loads(scene.run("config", "schema").out)["properties"]
    assert scene.calls() == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(scene: Scene, shell: str) -> None:
    """The script names the program; in bash it is also read by bash itself."""
    done = scene.run("completion", shell)
    assert (done.code, "_ROTATOR_COMPLETE" in done.out) == (0, True)
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=done.out, text=True, check=False).returncode == 0


def test_completion_knows_the_commands(scene: Scene) -> None:
    """`rotator ro<tab>` in bash gives `rotate`."""
    env = {"_ROTATOR_COMPLETE": "bash_complete", "COMP_WORDS": "rotator ro", "COMP_CWORD": "1"}
    done = scene.run(env=env)
    assert "rotate" in done.out
