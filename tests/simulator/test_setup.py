"""The operator's side of a classic connected app: Setup, click by click (reference 5.1)."""

from __future__ import annotations

from tests.simulator.setup_seen import WALK, classic, click, pair
from tests.simulator.sim import DATA, Sim


def test_apply_replaces_the_pair_and_ends_the_tokens_of_the_app(sim: Sim) -> None:
    """Before Apply the old pair logs in and the new one does not; after it the other way round, and old tokens die."""
    app = classic(sim)
    old, new = (app["client_id"], app["client_secret"]), pair(click(sim, "Generate"))
    token = sim.token(old)
    assert (sim.logs_in(old), sim.logs_in(new)) == (True, False)
    click(sim, "Apply", "Confirm", "Confirm")
    assert (sim.logs_in(old), sim.logs_in(new), sim.alive(token)) == (False, True, False)


def test_around_apply_both_pairs_may_log_in_for_a_while(sim: Sim) -> None:
    """delete_propagation and new_pair_propagation count from Apply: the ten minutes of mixed behaviour."""
    app = classic(sim)
    sim.facts(delete_propagation="600s", new_pair_propagation="60s")
    old, new = (app["client_id"], app["client_secret"]), pair(click(sim, "Generate"))
    sim.advance(200)
    click(sim, "Apply", "Confirm", "Confirm")
    assert (sim.logs_in(old), sim.logs_in(new)) == (True, False)
    sim.advance(61)
    assert (sim.logs_in(old), sim.logs_in(new)) == (True, True)
    sim.advance(600)
    assert (sim.logs_in(old), sim.logs_in(new)) == (False, True)


def test_generating_again_overwrites_what_was_generated(sim: Sim) -> None:
    """The first generated pair never logs in."""
    classic(sim)
    first, second = pair(click(sim, "Generate")), pair(click(sim, "Generate"))
    click(sim, "Apply", "Confirm", "Confirm")
    assert (sim.logs_in(first), sim.logs_in(second)) == (False, True)


def test_the_identity_check_holds_for_five_minutes(sim: Sim) -> None:
    """After them the page shows nothing and has no buttons; a wrong code, or a late one, opens nothing."""
    classic(sim)
    sim.advance(301)
    assert sim.admin("GET", "/orgs/acme/setup")["buttons"] == []
    sim.admin("POST", "/orgs/acme/setup", {"start": "admin@acme.example"})
    click(sim, *WALK)
    code = sim.admin("GET", "/orgs/acme/setup")["mail"]
    assert sim.admin("POST", "/orgs/acme/setup", {"code": "no"})["page"] == "Verify Your Identity"
    sim.advance(301)
    assert "key" not in sim.admin("POST", "/orgs/acme/setup", {"code": code})


def test_who_may_not_rotate_sees_no_button(sim: Sim) -> None:
    """Without `Allow consumer key and secret rotation` the details show neither Generate nor Apply."""
    classic(sim)
    sim.admin("PATCH", "/orgs/acme/users/admin@acme.example", {"permissions": ["ViewSetup"]})
    assert sim.admin("GET", "/orgs/acme/setup")["buttons"] == []


def test_a_button_that_is_not_there_is_told(sim: Sim) -> None:
    """A wrong click changes nothing and says what the page has."""
    classic(sim)
    reply = sim.door.post("/orgs/acme/setup", json={"click": "Apply"})
    assert (reply.status_code, "Generate" in reply.json()["error"]) == (400, True)
    assert sim.org.get(f"{DATA}/limits").status_code == 200
