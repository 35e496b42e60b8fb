"""`rotator report`, as an operator runs it."""

from __future__ import annotations

import pytest

from tests.acceptance.operator import Operator
from tests.acceptance.scene import Json, Scene


@pytest.fixture
def forced(scene: Scene) -> Scene:
    """A scene in which one app was forced, and another one was never rotated."""
    done = scene.run("force", "billing", "--reason", "a leak", "--ticket", "INC-1")
    assert done.code in (0, 3), done.err
    return scene


def told(scene: Scene, name: str, *more: str) -> Json:
    done = scene.json("report", name, *more)
    assert done.code == 0, done.err
    return done.told


def test_every_report_tells_what_happened(forced: Scene) -> None:
    """Ages, forces with ticket and times, controls with evidence, completeness by a look at the org; each as a page."""
    (force,) = told(forced, "forces")["rows"]
    assert (force["app"], force["ticket"], force["reason"]) == ("billing", "INC-1", "a leak")
    assert force["refused_after_s"] is not None
    ages = {row["app"]: row["verdict"] for row in told(forced, "ages")["rows"]}
    assert ages["billing"] == "within"
    apps = told(forced, "completeness")["rows"]
    assert {"configured", "not configured"} <= {row["verdict"] for row in apps}
    page = forced.folder / "controls.html"
    found = told(forced, "controls", "--html", str(page), "--since", "1d")
    controls = {row["control"]: row for row in found["rows"]}
    assert controls["ISO 27001 A.5.26"]["evidence"].startswith("1 of 1 forced rotations name a ticket")
    assert controls["PCI DSS 10.3.4"]["verdict"] == "shown"
    assert "PCI DSS 10.3.4" in page.read_text()
    assert forced.run("report", "holds").code == forced.run("report", "overdue").code == 0


def test_classic_apps_are_among_them(scene: Scene) -> None:
    """One that is configured, and one that nobody rotates."""
    Operator(scene)
    scene.door("POST", "/orgs/acme/apps", {"name": "orphan", "kind": "connected_app"})
    apps = {row["developer_name"]: (row["verdict"], row["app"]) for row in told(scene, "completeness")["rows"]}
    assert apps["Legacy"] == ("configured", "legacy")
    assert apps["Orphan"] == ("not configured", None)


def test_an_org_that_cannot_be_asked_is_unknown(scene: Scene) -> None:
    """Where nobody can look, completeness says so and does not say "all there"."""
    scene.config.write_text(scene.config.read_text().replace(scene.world["orgs"]["acme"]["url"], "http://127.0.0.1:9"))
    (row,) = told(scene, "completeness")["rows"]
    assert row["verdict"] == "unknown"
    assert row["why"]


def test_an_unknown_org_is_one_clear_error(scene: Scene) -> None:
    """With the nearest known name."""
    done = scene.run("report", "ages", "--org", "acne")
    assert done.code == 2
    assert "acme" in done.err
