"""Setup by hand: an operator's clicks, and how the shapes of classic connected apps are seen from outside."""

from __future__ import annotations

from tests.simulator.sim import Sim

WALK = ("App Manager", "Legacy", "View", "Manage Consumer Details")


def classic(sim: Sim) -> dict[str, str]:
    """A classic app, and Setup open at its details."""
    app: dict[str, str] = sim.admin("POST", "/orgs/acme/apps", {"name": "legacy", "kind": "connected_app"})
    sim.admin("POST", "/orgs/acme/setup", {"start": "admin@acme.example"})
    for button in WALK:
        page = sim.admin("POST", "/orgs/acme/setup", {"click": button})
    assert page["page"] == "Verify Your Identity"
    code = sim.admin("GET", "/orgs/acme/setup")["mail"]
    assert sim.admin("POST", "/orgs/acme/setup", {"code": code})["key"] == app["client_id"]
    return app


def click(sim: Sim, *buttons: str) -> dict[str, str]:
    """Clicks, and the page after them."""
    for button in buttons:
        page = sim.admin("POST", "/orgs/acme/setup", {"click": button})
    return dict(page)


def pair(page: dict[str, str]) -> tuple[str, str]:
    """The staged pair of a details page."""
    return page["staged_key"], page["staged_secret"]


def generated_accepted(sim: Sim) -> str:
    """Whether a generated pair logs in before Apply."""
    classic(sim)
    return "yes" if sim.logs_in(pair(click(sim, "Generate"))) else "no"


def apply_ends_tokens(sim: Sim) -> str:
    """Whether a token of the old pair dies with Apply."""
    app = classic(sim)
    token = sim.token((app["client_id"], app["client_secret"]))
    click(sim, "Generate", "Apply", "Confirm", "Confirm")
    return "no" if sim.alive(token) else "yes"
