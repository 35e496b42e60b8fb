"""`rotator discover`: every app of an org, whoever knows of it, and how it stands to the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rotator.simulator.org.model import ALL_PERMISSIONS
from tests.acceptance.scene import Door, Json, Scene, program
from tests.daemon.fleet import Fleet

ROTATOR, APPS = "/orgs/acme/users/rotator@acme.example", "/orgs/acme/apps"
EVERYWHERE = {"ExternalClientApplication", "usage", "metadata", "policies"}
MORE: tuple[Json, ...] = (
    {"name": "free", "developer_name": "Free_App", "label": "Free App", "username": "billing@acme.example"},
    {"name": "legacy", "developer_name": "Legacy_Crm", "label": "Legacy Crm", "kind": "connected_app"},
    {"name": "vendor", "developer_name": "Vendor_App", "label": "Vendor App", "namespace": "pkg"},
    {"name": "ghost", "developer_name": "Ghost", "label": "Ghost App", "listed": False},
    {"name": "multi", "developer_name": "Multi_App", "label": "Multi App", "consumers": 2},
)
GONE = '[apps.gone]\norg = "acme"\napp = "Gone_App"\nvault_path = "salesforce/acme/gone"\n'


@pytest.fixture
def crowd(scene: Scene) -> Scene:
    """Billing and orders are managed; a foreign hand has rotated orders; one configured app is not there any more."""
    for body in MORE:
        scene.door("POST", APPS, body)
    for name in ("billing", "ghost", "legacy"):
        scene.door("POST", f"{APPS}/{name}/logins", {"count": 1})
    scene.stranger("replace_primary", "orders")
    scene.config.write_text(scene.config.read_text() + GONE)
    return scene


def found(scene: Scene) -> Mapping[str, Any]:
    """The document of a run that could look."""
    done = scene.json("discover", "acme")
    assert done.code == 0, done.err
    return done.told


def by_name(told: Mapping[str, Any]) -> dict[str, Json]:
    """Each app by its developer name, or its label."""
    return {one["developer_name"] or one["label"]: one for one in told["apps"]}


def test_every_app_is_told_with_its_standing_and_who_named_it(crowd: Scene) -> None:
    """The union: managed, drifted, vanished, vendor and unmanaged apps, a classic one, and one that is visible by its
    tokens and logins alone; whom each runs as and who shares that user, last use, slot; pressing ones first. The org
    is never asked for a secret."""
    told = found(crowd)
    apps = by_name(told)
    assert {name: one["state"] for name, one in apps.items()} == {
        "Order_Export": "drifted", "Gone_App": "vanished", "Free_App": "unmanaged", "Ghost App": "unmanaged",
        "Invoice_Feed": "unmanaged", "Legacy_Crm": "unmanaged", "Multi_App": "unmanaged", "Rotator_Admin": "unmanaged",
        "Billing_Sync": "managed", "Vendor_App": "vendor",
    }  # fmt: skip
    assert [one["state"] for one in told["apps"]][:2] == ["drifted", "vanished"]
    assert (told["complete"], told["counts"]["unmanaged"]) == (True, 7)  # the app with two consumers stands there twice
    billing, ghost, legacy = apps["Billing_Sync"], apps["Ghost App"], apps["Legacy_Crm"]
    assert set(billing["sources"]) == EVERYWHERE | {"OauthToken", "LoginHistory"}
    assert (billing["managed_as"], billing["slot"], billing["shared_with"]) == ("billing", [], ["Free_App"])
    assert all(billing[name] for name in ("last_used_at", "consumer_id", "key_fp"))
    assert (ghost["kind"], ghost["owner"], ghost["sources"]) == ("unknown", "unknown", ["OauthToken", "LoginHistory"])
    assert (legacy["kind"], legacy["owner"], legacy["slot"]) == ("connected_app", "ours", None)
    assert apps["Vendor_App"]["owner"] == "vendor"
    assert "the rotator itself logs in with it" in apps["Rotator_Admin"]["notes"]
    asked = [call.get("query", "") for call in crowd.calls()]
    assert not [query for query in asked if "secret" in str(query)]


def test_what_may_not_be_seen_is_said_and_the_rest_is_told(crowd: Scene) -> None:
    """Without the rights to metadata, tokens, logins and pairs: those are named with their fix, the document says that
    it is not complete, and nobody vanishes or drifts for it."""
    few = [one for one in ALL_PERMISSIONS if one in ("ApiEnabled", "ApiUserOnly", "ExternalClientAppViewer")]
    crowd.door("PATCH", ROTATOR, {"permissions": few})
    told = found(crowd)
    blind = {one["what"]: one["fix"] for one in told["unseen"]}
    assert (told["complete"], set(blind)) == (False, {"metadata", "OauthToken", "LoginHistory", "slot"})
    assert all(blind.values())
    assert "MonitorLoginHistory" in blind["LoginHistory"]
    states = {name: one["state"] for name, one in by_name(told).items()}
    assert (states["Billing_Sync"], states["Gone_App"], states["Free_App"]) == ("managed", "vanished", "unmanaged")
    crowd.door("PATCH", ROTATOR, {"permissions": list(ALL_PERMISSIONS)})
    crowd.fault("status", {"site": "org", "path": "/query"}, every=1, args={"status": 403})
    crowd.fault("status", {"site": "org", "purpose": "list apps"}, every=1, args={"status": 403})
    states = {name: one["state"] for name, one in by_name(found(crowd)).items()}  # the metadata alone knows names
    assert (states["Billing_Sync"], states["Gone_App"], states["Free_App"]) == ("managed", "managed", "unmanaged")


def test_an_org_that_shows_nothing_is_an_error(scene: Scene) -> None:
    """Where not one listing can be read there is no inventory: the first error is told, with its fix."""
    scene.door("PATCH", "/orgs/acme/apps/rotator", {"admin_blocked": True})
    done = scene.json("discover", "acme")
    assert (done.code, bool(done.told["errors"][0]["fix"])) == (1, True)


def test_stanzas_are_refused_until_their_path_is_filled_in(crowd: Scene) -> None:
    """`--toml` writes a table for each app that could be managed and is not: vendors, the rotator's own app and what is
    known by tokens alone are left out. Pasted, the configuration is refused for the empty `vault_path`s and for nothing
    else; with the paths filled in it is as it should be, and nothing of it is due."""
    text = crowd.run("discover", "acme", "--toml").out
    names = [line for line in text.splitlines() if line.startswith("[apps.")]
    assert names == ["[apps.free_app]", "[apps.invoice_feed]", "[apps.legacy_crm]", "[apps.multi_app]",
                     "[apps.multi_app-2]"]  # fmt: skip
    before = crowd.config.read_text()
    crowd.config.write_text(before + text)
    refused = crowd.json("config", "check")
    assert refused.code == 2
    assert {one["where"].rpartition(".")[2] for one in refused.told["errors"]} == {"vault_path"}
    for number in range(len(names)):
        text = text.replace('vault_path = ""', f'vault_path = "salesforce/acme/new{number}"', 1)
    crowd.config.write_text(before + text)
    assert crowd.json("config", "check").code == 0
    listed = {one["app"]: one["why"] for one in crowd.json("status").told["apps"]}
    assert "enabled" in listed["free_app"] or "disabled" in listed["free_app"]
    again = by_name(found(crowd))
    assert again["Free_App"]["managed_as"] == "free_app"
    assert {one["managed_as"] for one in found(crowd)["apps"] if one["developer_name"] == "Multi_App"} == {
        "multi_app", "multi_app-2"}  # fmt: skip


def test_an_unknown_org_is_named_with_the_nearest(scene: Scene) -> None:
    """Exit 2, and nothing was asked of the org."""
    done = scene.run("discover", "acm")
    assert (done.code, "did you mean acme" in done.err) == (2, True)
    assert not [call for call in scene.calls() if call.get("site", "").startswith("org")]


@pytest.mark.parametrize("many", [300, pytest.param(2_000, marks=pytest.mark.exhaustive)])
def test_all_of_many_apps_are_told_and_the_quota_is_spared(door: Door, tmp_path: Path, many: int) -> None:
    """All are there, whatever the size of a page; with few API requests left the pairs of the managed apps are looked
    at, those of most others are not, and it says so."""
    fleet = Fleet(door, tmp_path, many, ["acme"], difficulty="plain", managed=3)
    door("POST", "/shapes", {"page_size": "100"})
    told = look(fleet)
    assert (told["complete"], told["counts"]) == (True, {"managed": 3, "unmanaged": many - 2})
    assert len({one["key_fp"] for one in told["apps"]}) == many + 1
    used = fleet.calls("read slot")
    door("PATCH", "/orgs/acme", {"daily_limit": 20_000, "calls_today": 18_000})
    told = look(fleet)
    assert fleet.calls("read slot") - used <= 100
    assert [one["slot"] for one in told["apps"] if one["state"] == "managed"] == [[], [], []]
    (unseen,) = told["unseen"]
    assert (unseen["what"], unseen["apps"] >= many - 100) == ("API requests", True)


def look(fleet: Fleet) -> Json:
    """The document of a run, which may take long."""
    return program("--config", str(fleet.config), "--json", "discover", "acme", limit=600).told
