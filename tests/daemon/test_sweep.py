"""The daemon's sweep: what others did to an app between its rotations."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.acceptance.scene import Door, Json, until
from tests.daemon.fleet import Fleet, daemon

NEW_ORG = "00D5e000000AbcDEAS"


def status(fleet: Fleet) -> dict[str, Json]:
    """Each app as `status` tells it."""
    return {app["app"]: app for app in fleet.json("status")["apps"]}


def drifts(fleet: Fleet) -> dict[str, list[tuple[str, str]]]:
    """What `status` shows of each app."""
    apps: list[Json] = fleet.json("status")["apps"]
    return {app["app"]: [(one["look"], one["state"]) for one in app["drift"]] for app in apps if app["drift"]}


def test_what_strangers_do_is_told_once_and_left_as_it_is(door: Door, tmp_path: Path) -> None:
    """An orphan in the slot of one app, a foreign primary of another, a live path that was taken back: each is in
    `status`, in the log and in the trail, once although the sweep comes again and again, by one of two daemons. Nothing
    is changed in the org or in Vault. What is put right is said to be."""
    fleet = Fleet(door, tmp_path, apps=2)
    fleet.configure(sweep="1s")
    with daemon(fleet, "one") as one, daemon(fleet, "two") as two:
        until(lambda: one.settled() | two.settled() == fleet.names, 90)
        apps = {org: dict(told["apps"]) for org, told in fleet.world["orgs"].items()}
        (first, second), (third, _) = sorted(apps["acme"]), sorted(apps["bolt"])
        acts = (("stage", "acme", first), ("replace_primary", "acme", second), ("delete_live", "bolt", third))
        for act, org, app in acts:
            assert door("POST", "/strangers", {"act": act, "app": app, "org": org})["done"]
        before = fleet.writes()
        wanted = {f"acme-{first}": [("slot", "drift")], f"acme-{second}": [("keys", "drift")],
                  f"bolt-{third}": [("keys", "drift")]}  # fmt: skip
        until(lambda: drifts(fleet) == wanted, 60)
        done = len(one.lines("swept") + two.lines("swept"))
        until(lambda: len(one.lines("swept") + two.lines("swept")) >= done + 6, 60)
        assert fleet.writes() == before
        told = [(line["app"], line["look"]) for line in one.lines("drift") + two.lines("drift")]
        assert sorted(told) == sorted((app, look) for app, ((look, _),) in wanted.items())
        door("POST", "/strangers", {"act": "delete", "app": first, "org": "acme"})
        until(lambda: f"acme-{first}" not in drifts(fleet), 60)
        assert (one.stop(), two.stop()) == (0, 0)
    rows = [(e["app"], e["outcome"]) for e in fleet.json("history")["events"] if e["step"] == "drift"]
    assert sorted(rows) == sorted([*((app, "failed") for app in wanted), (f"acme-{first}", "ok")])


def test_a_sweep_that_cannot_look_says_so(door: Door, tmp_path: Path) -> None:
    """The org does not let us read the slot: `blind`, `unknown` in the trail; seen again later, it is fine."""
    fleet = Fleet(door, tmp_path, apps=1)
    fleet.configure(sweep="1s")
    with daemon(fleet) as one:
        until(lambda: one.settled() == fleet.names, 60)
        closed = {"match": {"site": "org", "purpose": "read slot"}, "every": 1, "args": {"status": 403}}
        door("POST", "/faults", {"kind": "status", **closed})
        until(lambda: set(drifts(fleet)) == fleet.names, 60)
        assert {one for told in drifts(fleet).values() for one in told} == {("slot", "blind")}
        door("DELETE", "/faults")
        until(lambda: drifts(fleet) == {}, 60)
        assert one.stop() == 0
    rows = {e["outcome"] for e in fleet.json("history")["events"] if e["step"] == "drift"}
    assert rows == {"unknown", "ok"}


ROWS = {"APP-5", "APP-8", "APP-13", "RUN-1", "RUN-2", "RUN-3", "RUN-4"}
OF_USER = {row for row in ROWS if row.startswith("RUN")}
BILLING, USER = "/orgs/acme/apps/billing", "/orgs/acme/users/orders@acme.example"
SPOILT: Json = {"flow_in_policies": False, "ip_relaxation": "Bypass", "namespace": "pkg"}


def test_what_somebody_changes_in_the_org_is_told(door: Door, tmp_path: Path) -> None:
    """The rows of the checks, looked at again: flow, IP policy, origin, and the run-as user's state, rights and sharing
    of one app, then the org's secret access; each in `status` under its id, with a row in the trail; what another app
    was from the first look on is not told, and what is put right is."""
    fleet = Fleet(door, tmp_path, apps=2, orgs=["acme"])
    fleet.configure(sweep="1s")
    door("PATCH", "/orgs/acme/apps/orders", {"ip_relaxation": "Bypass"})
    with daemon(fleet) as one:
        until(lambda: one.settled() == fleet.names, 90)
        swept = len(one.lines("swept"))
        until(lambda: len(one.lines("swept")) >= swept + 2, 60)
        was = door("PATCH", BILLING, {})
        assert drifts(fleet) == {}
        door("PATCH", BILLING, {**SPOILT, "run_as": fleet.world["orgs"]["acme"]["apps"]["orders"]["user_id"]})
        door("PATCH", USER, {"frozen": True, "permissions": ["ApiEnabled", "ViewAllData"]})
        wanted = {"acme-billing": {(row, "drift") for row in ROWS}, "acme-orders": {(row, "drift") for row in OF_USER}}
        until(lambda: {app: set(told) for app, told in drifts(fleet).items()} == wanted, 60)
        door("PATCH", BILLING, {name: was[name] for name in (*SPOILT, "run_as")})
        door("PATCH", USER, {"frozen": False, "permissions": ["ApiEnabled", "ApiUserOnly"]})
        until(lambda: drifts(fleet) == {}, 60)
        door("PATCH", "/orgs/acme", {"rest_secret_access": False})
        until(lambda: [row["look"] for row in fleet.json("status")["orgs"][0]["drift"]] == ["ORG-5"], 60)
        assert one.stop() == 0
    rows = [row for row in fleet.json("history")["events"] if row["step"] == "drift"]
    told = {(row["app"], row["evidence"]["look"], row["outcome"]) for row in rows}
    assert {(app, look, said) for app, looks in wanted.items() for look, _ in looks for said in ("failed", "ok")} < told
    assert ("acme/*", "ORG-5", "failed") in told


def test_a_refreshed_sandbox_holds_the_whole_org(door: Door, tmp_path: Path) -> None:
    """The org's id is another one: what is open is held, what is due is not begun, and the reason is told once; the new
    id in the configuration lifts that, and what was held waits for a person."""
    fleet = Fleet(door, tmp_path, apps=2, orgs=["acme"])
    fleet.configure(sweep="1s", overlap="1h", apps={"orders": "enabled = false"})
    with daemon(fleet) as one:
        until(lambda: "overlap" in {app["rotation"]["state"] for app in status(fleet).values() if app["rotation"]}, 60)
        door("PATCH", "/orgs/acme", {"id": NEW_ORG})
        until(lambda: bool(fleet.json("status")["orgs"][0]["drift"]), 60)
        row = status(fleet)["acme-billing"]["rotation"]
        assert (row["state"], row["reason"], "org_id" in row["fix"]) == ("held", "org_changed", True)
        fleet.configure(sweep="1s", overlap="0s")
        one.signal(signal.SIGHUP)
        until(lambda: "another org" in status(fleet)["acme-orders"]["why"], 60)
        done = len(one.lines("swept"))
        until(lambda: len(one.lines("swept")) >= done + 2, 60)
        assert (fleet.rotations(), len(one.lines("drift"))) == ({"acme-billing": 1}, 1)
        text = fleet.config.read_text()
        fleet.config.write_text(text.replace("[orgs.acme]", f'[orgs.acme]\norg_id = "{NEW_ORG}"'))
        one.signal(signal.SIGHUP)
        until(lambda: fleet.rotations()["acme-orders"] == 1, 60)
        until(lambda: not fleet.json("status")["orgs"][0]["drift"], 60)
        assert status(fleet)["acme-billing"]["rotation"]["state"] == "held"
        assert one.stop() == 0
